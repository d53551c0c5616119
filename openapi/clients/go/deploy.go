package tally

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"net/http"
	"strconv"
)

// Deployment is what a view runs, on a log or on a pattern of logs: a ready view, or a module that the server has.
type Deployment struct {
	// Ready names a ready view, which each server has built in, such as "meter"; "meter@2" is a version of it. See ListReadyViews.
	Ready string
	// Module is the SHA-256 of a module, in hexadecimal, instead. See UploadModule, DeployModule and DeployModulePattern.
	Module string
	// Config is the view's configuration, of at most 64 KiB: []byte, json.RawMessage and string are sent byte for byte, anything else as
	// encoding/json writes it. nil for none.
	Config any
	// Gas is the budget of one event. 0 for the server's default.
	Gas int64
	// OnHalt is what becomes of appends while a view with a guard is halted: Admit or Refuse. "": as before, and Admit at first.
	OnHalt string
}

// body is by hand, since the configuration must arrive byte for byte.
func (d *Deployment) body() ([]byte, error) {
	what, name := "ready", d.Ready
	if d.Module != "" {
		what, name = "module", d.Module
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return nil, err
	}
	body := append([]byte(`{"`+what+`":`), quoted...)
	if d.Config != nil {
		config, err := encode(d.Config)
		if err != nil {
			return nil, err
		}
		if len(config) > 0 {
			body = append(append(body, `,"config":`...), config...)
		}
	}
	if d.Gas != 0 {
		body = strconv.AppendInt(append(body, `,"gas":`...), d.Gas, 10)
	}
	if d.OnHalt != "" {
		quoted, err := json.Marshal(d.OnHalt)
		if err != nil {
			return nil, err
		}
		body = append(append(body, `,"on_halt":`...), quoted...)
	}
	return append(body, '}'), nil
}

func (d *Deployment) request(path ...string) (request, error) {
	body, err := d.body()
	return request{method: http.MethodPost, path: path, body: body, contentType: jsonType, safe: true}, err
}

// DeployView makes a ready view or a module the newest version of a view. It returns when the version is live, or after some seconds while
// it is being built. The same deployment again changes nothing.
func (c *Client) DeployView(ctx context.Context, log, view string, d Deployment) (deployed View, err error) {
	r, err := d.request("logs", log, "views", view)
	return deployed, c.send(ctx, r, err, &deployed)
}

// DeployViewPatternOptions say where a view is deployed.
type DeployViewPatternOptions struct {
	// Logs is the pattern of the names of logs, such as customer-*. "" for the one that the view has already.
	Logs string
}

// DeployViewPattern deploys a view on all logs whose name matches a pattern such as customer-*, including later ones. It returns at once:
// the server deploys the view in the background. The same deployment again changes nothing.
func (c *Client) DeployViewPattern(
	ctx context.Context, view string, d Deployment, o *DeployViewPatternOptions,
) (deployed ViewPattern, err error) {
	r, err := d.request("views", view)
	return deployed, c.send(ctx, r.with("logs", orNew(o).Logs), err, &deployed)
}

// DeployModule uploads a module, a .wasm of at most 4 MiB, unless the server has it, and deploys it as DeployView does. The deployment's
// Module need not be set.
func (c *Client) DeployModule(ctx context.Context, log, view string, wasm []byte, d Deployment) (View, error) {
	module, err := c.UploadModule(ctx, wasm)
	if err != nil {
		return View{}, err
	}
	d.Module = module.Module
	return c.DeployView(ctx, log, view, d)
}

// DeployModulePattern uploads a module as DeployModule does, and deploys it as DeployViewPattern does.
func (c *Client) DeployModulePattern(
	ctx context.Context, view string, wasm []byte, d Deployment, o *DeployViewPatternOptions,
) (ViewPattern, error) {
	module, err := c.UploadModule(ctx, wasm)
	if err != nil {
		return ViewPattern{}, err
	}
	d.Module = module.Module
	return c.DeployViewPattern(ctx, view, d, o)
}

// UploadModule puts a module, unless the server has it.
func (c *Client) UploadModule(ctx context.Context, wasm []byte) (Module, error) {
	module, err := c.GetModule(ctx, digest(wasm))
	if IsCode(err, "module_not_found") {
		return c.PutModule(ctx, digest(wasm), wasm)
	}
	return module, err
}

// PutModule uploads a module under its SHA-256, in hexadecimal; UploadModule computes it. To put what is there changes nothing.
func (c *Client) PutModule(ctx context.Context, sha256 string, wasm []byte) (module Module, err error) {
	_, err = c.call(ctx, request{
		method: http.MethodPut, path: []string{"modules", sha256}, body: wasm, contentType: wasmType, safe: true,
	}, &module)
	return module, err
}

// GetModule describes a module by its SHA-256, in hexadecimal. If there is none, the error's code is module_not_found.
func (c *Client) GetModule(ctx context.Context, sha256 string) (module Module, err error) {
	_, err = c.call(ctx, get("modules", sha256), &module)
	return module, err
}

// ListModules lists the tenant's modules by SHA-256, those that were uploaded and those that were deployed, a page at a time.
func (c *Client) ListModules(ctx context.Context, o *ListOptions) (page ModulePage, err error) {
	_, err = c.call(ctx, get("modules").with("cursor", orNew(o).Cursor, "limit", number(orNew(o).Limit)), &page)
	return page, err
}

// Modules iterates over the tenant's modules, by SHA-256.
func (c *Client) Modules(ctx context.Context) iter.Seq2[Module, error] {
	return pages(func(cursor string) ([]Module, string, error) {
		page, err := c.ListModules(ctx, &ListOptions{Cursor: cursor, Limit: listPage})
		return page.Modules, page.NextCursor, err
	})
}

// ListReadyViews lists the views that each server has built in.
func (c *Client) ListReadyViews(ctx context.Context) ([]ReadyView, error) {
	var result struct {
		Views []ReadyView `json:"views"`
	}
	_, err := c.call(ctx, get("ready-views"), &result)
	return result.Views, err
}

func digest(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}
