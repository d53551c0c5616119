package tally

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// Log is a log and its head.
type Log struct {
	ID         string            `json:"log_id"`
	Name       string            `json:"name"`
	Labels     map[string]string `json:"labels"` // the owner's own
	CreatedAt  time.Time         `json:"created_at"`
	Sequence   int64             `json:"sequence"`    // of the last event; 0 if the log is empty
	Hash       string            `json:"hash"`        // of everything up to it, hexadecimal
	RecordedAt time.Time         `json:"recorded_at"` // of the last event
}

// CreatedLog names a new log.
type CreatedLog struct {
	ID string `json:"log_id"`
}

// CreateLog creates a log. If the name is taken, the error's code is name_taken, and its LogID is the log's that has it. It is not retried
// after a lost answer: see EnsureLog.
func (c *Client) CreateLog(ctx context.Context, name string, labels map[string]string) (created CreatedLog, err error) {
	r, err := sending(http.MethodPost, map[string]any{"name": name, "labels": labels}, "logs")
	return created, c.send(ctx, r, err, &created)
}

// EnsureLog creates a log unless it is there already, and returns it. If it is there with other labels, the error's code is name_taken; nil
// labels agree with any.
func (c *Client) EnsureLog(ctx context.Context, name string, labels map[string]string) (log Log, err error) {
	body := map[string]any{}
	if labels != nil {
		body["labels"] = labels
	}
	r, err := sending(http.MethodPut, body, "logs", name)
	r.safe = true
	return log, c.send(ctx, r, err, &log)
}

// GetLog describes a log, given by its name or id.
func (c *Client) GetLog(ctx context.Context, log string) (found Log, err error) {
	_, err = c.call(ctx, get("logs", log), &found)
	return found, err
}

// ListLogsOptions select logs.
type ListLogsOptions struct {
	Prefix string // of their names
	Search string // a text in their name or in the value of a label, whatever the case of its letters
	// Label is one that they have, such as plan=gold, or up to four with commas between them. A comma, and in a name =, is written with \
	// before it, and so is \ itself.
	Label string
	Sort  string // name, which "" stands for, or activity: the log with the latest event first
	ListOptions
}

// LogPage is a page of logs.
type LogPage struct {
	Logs       []Log  `json:"logs"`
	NextCursor string `json:"next_cursor"` // "" on the last page
}

// ListLogs lists logs by name or by activity, a page at a time. An empty page with a NextCursor is not the end.
func (c *Client) ListLogs(ctx context.Context, o *ListLogsOptions) (page LogPage, err error) {
	o = orNew(o)
	r := get("logs").with(
		"prefix", o.Prefix, "search", o.Search, "label", o.Label, "sort", o.Sort, "limit", number(o.Limit), "cursor", o.Cursor,
	)
	_, err = c.call(ctx, r, &page)
	return page, err
}

// Logs iterates over all logs whose name begins with prefix, by name.
func (c *Client) Logs(ctx context.Context, prefix string) iter.Seq2[Log, error] {
	return c.FindLogs(ctx, &ListLogsOptions{Prefix: prefix})
}

// FindLogs iterates over the logs that the options select, in their order. Cursor and Limit of the options are not used.
func (c *Client) FindLogs(ctx context.Context, o *ListLogsOptions) iter.Seq2[Log, error] {
	selected := *orNew(o)
	selected.Limit = listPage
	return pages(func(cursor string) ([]Log, string, error) {
		selected.Cursor = cursor
		page, err := c.ListLogs(ctx, &selected)
		return page.Logs, page.NextCursor, err
	})
}
