package tallystick

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	tcexec "github.com/testcontainers/testcontainers-go/exec"
)

// maxAnswer bounds what is read of an answer; those that are asked for here are short.
const maxAnswer = 64 << 10

// prepare makes what the options ask for.
func (c *Container) prepare(ctx context.Context, o options) error {
	base, err := c.URL(ctx)
	if err != nil {
		return err
	}
	s := setup{base: base}
	for i, scopes := range o.keys {
		key, err := c.makeKey(ctx, "testcontainers-"+strconv.Itoa(i+1), scopes)
		if err != nil {
			return err
		}
		c.keys = append(c.keys, key)
	}
	if len(o.keys) > 0 && len(o.views)+len(o.logs) > 0 {
		if s.key, err = c.makeKey(ctx, "testcontainers-setup", []string{"append", "deploy"}); err != nil {
			return err
		}
	}
	for _, d := range o.views {
		if err := s.deploy(ctx, d); err != nil {
			return fmt.Errorf("deploy the view %s: %w", d.view, err)
		}
	}
	for _, log := range o.logs {
		if err := s.post(ctx, "/logs", nil, log); err != nil {
			return fmt.Errorf("make the log %s: %w", log.Name, err)
		}
	}
	return nil
}

// makeKey has the program in the container make a key: it needs none for that, as whoever has the database.
func (c *Container) makeKey(ctx context.Context, name string, scopes []string) (string, error) {
	command := []string{"tally", "key", "create", "--name", name, "--scopes", strings.Join(scopes, ",")}
	status, output, err := c.Exec(ctx, command, tcexec.Multiplexed())
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(output, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if status == 0 && strings.HasPrefix(line, "tally_") {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("make a key with the scopes %s: %s", strings.Join(scopes, ", "), bytes.TrimSpace(text))
}

// setup calls the server for what Run makes.
type setup struct {
	base, key string
}

// deploy deploys on a pattern of logs.
func (s setup) deploy(ctx context.Context, d deployment) error {
	query := url.Values{"logs": {d.logs}}
	path := "/views/" + url.PathEscape(d.view)
	if d.ready != "" {
		return s.post(ctx, path, query, struct {
			Ready  string          `json:"ready"`
			Config json.RawMessage `json:"config,omitempty"`
		}{d.ready, d.config})
	}
	if d.config != nil {
		query.Set("config", string(d.config))
	}
	return s.send(ctx, path, query, "application/wasm", d.module)
}

func (s setup) post(ctx context.Context, path string, query url.Values, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.send(ctx, path, query, "application/json", encoded)
}

// send returns an error with the server's own words unless it did what was asked.
func (s setup) send(ctx context.Context, path string, query url.Values, contentType string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	var problem struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(text, &problem) == nil && problem.Detail != "" {
		return fmt.Errorf("%s (%s, status %d)", problem.Detail, problem.Code, response.StatusCode)
	}
	return fmt.Errorf("status %d: %s", response.StatusCode, bytes.TrimSpace(text))
}
