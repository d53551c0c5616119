package tally

import (
	"context"
	"iter"
	"net/http"
)

// PutSource says what a source does. The mapping is JSON: []byte, json.RawMessage and string are sent byte for byte, anything else as
// encoding/json writes it. To put what it does already changes nothing.
func (c *Client) PutSource(ctx context.Context, source string, mapping any) (put Source, err error) {
	r, err := sending(http.MethodPut, mapping, "sources", source)
	r.safe = true
	return put, c.send(ctx, r, err, &put)
}

// GetSourceOptions select a version.
type GetSourceOptions struct {
	Version int64 // 0 for the present one
}

// GetSource returns what a source does.
func (c *Client) GetSource(ctx context.Context, source string, o *GetSourceOptions) (found Source, err error) {
	_, err = c.call(ctx, get("sources", source).with("version", number(orNew(o).Version)), &found)
	return found, err
}

// DeleteSource ends a source.
func (c *Client) DeleteSource(ctx context.Context, source string) error {
	a, err := c.call(ctx, request{method: http.MethodDelete, path: []string{"sources", source}, safe: true}, nil)
	if a.tries > 1 && IsCode(err, "source_not_found") {
		return nil // gone since a try whose answer was lost
	}
	return err
}

// SourcePage is a page of sources.
type SourcePage struct {
	Sources    []Source `json:"sources"`
	NextCursor string   `json:"next_cursor"` // "" on the last page
}

// ListSources lists the sources that were put, by name, a page at a time.
func (c *Client) ListSources(ctx context.Context, o *ListOptions) (page SourcePage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("sources").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// Sources iterates over the sources that were put, by name.
func (c *Client) Sources(ctx context.Context) iter.Seq2[Source, error] {
	return pages(func(cursor string) ([]Source, string, error) {
		page, err := c.ListSources(ctx, &ListOptions{Cursor: cursor, Limit: listPage})
		return page.Sources, page.NextCursor, err
	})
}

// SourceVersionPage is a page of a source's versions.
type SourceVersionPage struct {
	Versions   []Source `json:"versions"`              // newest first, without their mappings
	NextCursor string   `json:"next_cursor,omitempty"` // "" on the last page
}

// ListSourceVersions lists the versions of a source, newest first, without their mappings, a page at a time.
func (c *Client) ListSourceVersions(ctx context.Context, source string, o *ListOptions) (page SourceVersionPage, err error) {
	o = orNew(o)
	_, err = c.call(ctx, get("sources", source, "versions").with("cursor", o.Cursor, "limit", number(o.Limit)), &page)
	return page, err
}

// SourceVersions iterates over all versions of a source, newest first, without their mappings.
func (c *Client) SourceVersions(ctx context.Context, source string) iter.Seq2[Source, error] {
	return pages(func(cursor string) ([]Source, string, error) {
		page, err := c.ListSourceVersions(ctx, source, &ListOptions{Cursor: cursor, Limit: listPage})
		return page.Versions, page.NextCursor, err
	})
}

// ListReadySources lists the mappings that come with the server.
func (c *Client) ListReadySources(ctx context.Context) ([]ReadySource, error) {
	var result struct {
		Sources []ReadySource `json:"sources"`
	}
	_, err := c.call(ctx, get("ready-sources"), &result)
	return result.Sources, err
}

// TestSourceOptions say what to test, and as what.
type TestSourceOptions struct {
	As          string // how the payload comes: events (when ""), logs or traces
	Version     int64  // of the source; 0 for the present one
	ContentType string // of the payload; "" for JSON
}

// TestSource shows what a source would make of a payload, and stores nothing.
func (c *Client) TestSource(ctx context.Context, source string, payload []byte, o *TestSourceOptions) (test SourceTest, err error) {
	o = orNew(o)
	r := request{method: http.MethodPost, path: []string{"sources", source, "test"}, body: payload, contentType: o.ContentType, safe: true}
	_, err = c.call(ctx, r.with("as", o.As, "version", number(o.Version)), &test)
	return test, err
}

// ReplaySourceOptions select rejects.
type ReplaySourceOptions struct {
	From  int64 `json:"from,omitempty"`  // a sequence of the source's log of rejects; 0 for its beginning
	Limit int   `json:"limit,omitempty"` // of rejects; 0 for the server's default
}

// ReplaySource maps rejects of a source again, and stores what maps now.
func (c *Client) ReplaySource(ctx context.Context, source string, o *ReplaySourceOptions) (done ReplayedSource, err error) {
	r, err := sending(http.MethodPost, orNew(o), "sources", source, "replay")
	return done, c.send(ctx, r, err, &done)
}
