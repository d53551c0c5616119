package tally

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// Deployment is what a view runs, on a log or on a pattern of logs.
type Deployment struct {
	// Module is the .wasm, of at most 4 MiB.
	Module []byte
	// Config is the view's configuration, of at most 64 KiB: []byte, json.RawMessage and string are sent byte for byte, anything else as
	// encoding/json writes it. nil for none.
	Config any
	// Gas is the budget of one event. 0 for the server's default.
	Gas int64
}

// maxQueryBytes bounds the query string: servers accept 64 KiB of request line and headers.
const maxQueryBytes = 32 << 10

// request returns the call that deploys to a path. A configuration that is too long for the query string goes into the body, with the hash
// of the module in place of the module, which the server must have already.
func (d Deployment) request(path []string, query url.Values) (request, error) {
	var config []byte
	if d.Config != nil {
		var err error
		if config, err = encode(d.Config); err != nil {
			return request{}, err
		}
	}
	if d.Gas > 0 {
		query.Set("gas", strconv.FormatInt(d.Gas, 10))
	}
	r := request{method: http.MethodPost, path: path, query: query.Encode(), safe: true}
	if len(config) > 0 {
		query.Set("config", string(config))
	}
	if encoded := query.Encode(); len(encoded) <= maxQueryBytes {
		r.query, r.body, r.contentType = encoded, d.Module, wasmType
		return r, nil
	}
	// By hand, since the configuration must arrive byte for byte.
	r.body = fmt.Appendf(nil, `{"module":"%x","config":%s}`, sha256.Sum256(d.Module), config)
	r.contentType = jsonType
	return r, nil
}

func (c *Client) deploy(ctx context.Context, path []string, query url.Values, d Deployment, result any) error {
	r, err := d.request(path, query)
	err = c.send(ctx, r, err, result)
	if r.contentType == jsonType && IsCode(err, "module_not_found") {
		return fmt.Errorf("a configuration of %d bytes is sent without its module, and the server does not have the module yet: "+
			"deploy it once with a short configuration: %w", len(r.body), err)
	}
	return err
}

// DeployView makes a module the newest version of a view. It returns when the version is live, or after some seconds while it is being
// built. The same deployment again changes nothing.
func (c *Client) DeployView(ctx context.Context, log, view string, d Deployment) (deployed View, err error) {
	return deployed, c.deploy(ctx, []string{"logs", log, "views", view}, url.Values{}, d, &deployed)
}

// DeployViewPattern deploys a view on all logs whose name matches a pattern such as customer-*, including later ones. It returns at once:
// the server deploys the view in the background. The same deployment again changes nothing.
func (c *Client) DeployViewPattern(ctx context.Context, view, logs string, d Deployment) (deployed ViewPattern, err error) {
	return deployed, c.deploy(ctx, []string{"views", view}, url.Values{"logs": {logs}}, d, &deployed)
}
