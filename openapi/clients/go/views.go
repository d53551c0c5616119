package tally

import (
	"context"
	"iter"
	"net/http"
)

// Versions returns the version, and its successor, if there is one.
func (v *View) Versions() []View {
	if v.Successor == nil {
		return []View{*v}
	}
	return []View{*v, *v.Successor}
}

// ListViews returns the views of a log, by name.
func (c *Client) ListViews(ctx context.Context, log string) ([]View, error) {
	var result struct {
		Views []View `json:"views"`
	}
	_, err := c.call(ctx, get("logs", log, "views"), &result)
	return result.Views, err
}

// GetView returns a view: the version that answers queries, with its successor, if there is one.
func (c *Client) GetView(ctx context.Context, log, view string) (found View, err error) {
	_, err = c.call(ctx, get("logs", log, "views", view), &found)
	return found, err
}

// ViewHistory holds versions of a view and what was done to them.
type ViewHistory struct {
	Versions   []View       `json:"versions"`              // newest first
	Actions    []ViewAction `json:"actions"`               // newest first: the last 500
	NextCursor string       `json:"next_cursor,omitempty"` // of the versions; "" on the last page
}

// ListViewVersions returns the versions of a view, retired ones too, a page at a time, and the latest actions on them.
func (c *Client) ListViewVersions(ctx context.Context, log, view string, o *ListOptions) (page ViewHistory, err error) {
	o = orNew(o)
	r := get("logs", log, "views", view, "versions").with("cursor", o.Cursor, "limit", number(o.Limit))
	_, err = c.call(ctx, r, &page)
	return page, err
}

// ViewVersions iterates over all versions of a view, newest first.
func (c *Client) ViewVersions(ctx context.Context, log, view string) iter.Seq2[View, error] {
	return pages(func(cursor string) ([]View, string, error) {
		page, err := c.ListViewVersions(ctx, log, view, &ListOptions{Cursor: cursor, Limit: auditPage})
		return page.Versions, page.NextCursor, err
	})
}

// RollbackView makes an earlier version of a view live again. It returns like DeployView.
func (c *Client) RollbackView(ctx context.Context, log, view string, version int32) (changed View, err error) {
	r, err := sending(http.MethodPost, map[string]any{"version": version}, "logs", log, "views", view, "rollback")
	return changed, c.send(ctx, r, err, &changed)
}

// ResumeViewOptions select how a halted view resumes.
type ResumeViewOptions struct {
	Version int32  `json:"version,omitempty"` // 0: the one requested last
	Skip    bool   `json:"skip"`              // the event, which this version then leaves out for ever
	Reason  string `json:"reason,omitempty"`
	Gas     int64  `json:"gas,omitempty"` // 0: the budget stays
}

// ResumeView takes a halted version on.
func (c *Client) ResumeView(ctx context.Context, log, view string, o *ResumeViewOptions) (changed View, err error) {
	r, err := sending(http.MethodPost, orNew(o), "logs", log, "views", view, "resume")
	return changed, c.send(ctx, r, err, &changed)
}

// RetireView retires a view on a log: it no longer answers.
func (c *Client) RetireView(ctx context.Context, log, view string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: []string{"logs", log, "views", view}}, nil)
	return err
}

// AuditViewOptions select what to audit.
type AuditViewOptions struct {
	Version int32 // 0: the one that answers queries
}

// AuditView has the server fold a view's events again and compare the state. It takes as long as reading the whole log, within ctx.
func (c *Client) AuditView(ctx context.Context, log, view string, o *AuditViewOptions) (audit ViewAudit, err error) {
	r := request{method: http.MethodPost, path: []string{"logs", log, "views", view, "audit"}, long: true}
	_, err = c.call(ctx, r.with("version", number(orNew(o).Version)), &audit)
	return audit, err
}
