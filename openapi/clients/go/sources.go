package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Source is what a source is told to do.
type Source struct {
	Name      string          `json:"name"`
	Version   int64           `json:"version"` // 0: the source default, which nobody has put
	Mapping   json.RawMessage `json:"mapping,omitempty"`
	Resolved  json.RawMessage `json:"resolved,omitempty"` // with the ready mapping that it names written out
	Deleted   bool            `json:"deleted,omitempty"`  // in lists: by this version
	CreatedAt *time.Time      `json:"created_at,omitempty"`
	CreatedBy string          `json:"created_by,omitempty"`
}

// ReadySource is a mapping that comes with the server.
type ReadySource struct {
	Name    string          `json:"name"`
	Mapping json.RawMessage `json:"mapping"`
}

// SourceTest is what a source would make of a payload.
type SourceTest struct {
	Version  int64        `json:"version,omitempty"` // of the source
	Lines    []TestedLine `json:"lines"`
	Mapped   int          `json:"mapped"`
	Skipped  int          `json:"skipped"`
	Rejected int          `json:"rejected"`
	More     bool         `json:"more,omitempty"` // the payload has more than is shown
}

// TestedLine is what a source would make of a record.
type TestedLine struct {
	Line    int             `json:"line"`
	Outcome string          `json:"outcome"` // mapped, skipped, rejected
	Log     string          `json:"log,omitempty"`
	Key     string          `json:"key,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"`
	Code    string          `json:"code,omitempty"`
	Detail  string          `json:"detail,omitempty"`
}

// ReplayedSource is what became of rejects.
type ReplayedSource struct {
	Read        int `json:"read"`
	Stored      int `json:"stored"`
	Duplicates  int `json:"duplicates"`
	Skipped     int `json:"skipped"`
	Rejected    int `json:"rejected"`
	Unavailable int `json:"unavailable"` // of which too little was kept

	FirstRejected *FirstRejected `json:"first_rejected,omitempty"`

	Next int64 `json:"next,omitempty"` // the sequence to go on from; 0 at the end
}

// FirstRejected is a reject that still cannot be stored.
type FirstRejected struct {
	Sequence int64  `json:"sequence"`
	Code     string `json:"code"`
	Detail   string `json:"detail"`
}

func sourcePath(name string, more ...string) []string {
	return append([]string{"sources", name}, more...)
}

// PutSource says what a source does.
func (c *Client) PutSource(ctx context.Context, name string, mapping []byte) (put Source, err error) {
	return put, c.call(ctx, request{
		method: http.MethodPut, path: sourcePath(name), body: bytes.NewReader(mapping), contentType: jsonType,
	}, &put)
}

// Source returns a version of a source; 0 for the present one.
func (c *Client) GetSource(ctx context.Context, name string, version int64) (found Source, err error) {
	return found, c.call(ctx, request{method: http.MethodGet, path: sourcePath(name), query: versionQuery(version).Encode()}, &found)
}

func versionQuery(version int64) url.Values {
	query := url.Values{}
	if version != 0 {
		query.Set("version", strconv.FormatInt(version, 10))
	}
	return query
}

// DeleteSource ends a source.
func (c *Client) DeleteSource(ctx context.Context, name string) error {
	return c.call(ctx, request{method: http.MethodDelete, path: sourcePath(name)}, nil)
}

// Sources lists the sources that were put, by name.
func (c *Client) ListSources(ctx context.Context) ([]Source, error) {
	sources, query := []Source{}, url.Values{"limit": {strconv.Itoa(listPage)}}
	for {
		var page struct {
			Sources []Source `json:"sources"`
			Next string `json:"next_cursor"`
		}
		if err := c.call(ctx, request{method: http.MethodGet, path: []string{"sources"}, query: query.Encode()}, &page); err != nil {
			return nil, err
		}
		if sources = append(sources, page.Sources...); page.Next == "" {
			return sources, nil
		}
		query.Set("cursor", page.Next)
	}
}

// SourceVersions lists up to limit versions of a source, the newest first, without their mappings; 0 for all.
func (c *Client) ListSourceVersions(ctx context.Context, name string, limit int) ([]Source, error) {
	versions, query := []Source{}, url.Values{}
	for {
		size := listPage
		if limit > 0 {
			size = min(size, limit-len(versions))
		}
		query.Set("limit", strconv.Itoa(size))
		var page struct {
			Versions []Source `json:"versions"`
			Next string `json:"next_cursor"`
		}
		err := c.call(ctx, request{method: http.MethodGet, path: sourcePath(name, "versions"), query: query.Encode()}, &page)
		if err != nil {
			return nil, err
		}
		versions = append(versions, page.Versions...)
		if page.Next == "" || limit > 0 && len(versions) >= limit {
			return versions, nil
		}
		query.Set("cursor", page.Next)
	}
}

// ReadySources lists the mappings that come with the server.
func (c *Client) ListReadySources(ctx context.Context) ([]ReadySource, error) {
	var result struct {
		Sources []ReadySource `json:"sources"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: []string{"ready-sources"}}, &result)
	return result.Sources, err
}

// TestSource shows what a version of a source, 0 for the present one, would make of a payload that comes as events, logs or traces.
func (c *Client) TestSource(ctx context.Context, name string, version int64, as string, payload []byte) (test SourceTest, err error) {
	query := versionQuery(version)
	query.Set("as", as)
	return test, c.call(ctx, request{
		method: http.MethodPost, path: sourcePath(name, "test"), query: query.Encode(), body: bytes.NewReader(payload),
	}, &test)
}

// ReplaySource maps up to limit rejects of a source again, from a sequence of its log of rejects on.
func (c *Client) ReplaySource(ctx context.Context, name string, from int64, limit int) (done ReplayedSource, err error) {
	body := struct {
		From  int64 `json:"from"`
		Limit int   `json:"limit"`
	}{from, limit}
	return done, c.send(ctx, http.MethodPost, sourcePath(name, "replay"), body, &done)
}
