package tally

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
)

// WatchOptions say who is told about lost connections.
type WatchOptions struct {
	FollowOptions
}

// WatchedAnswer is a view's answer at a time, or why it has none.
type WatchedAnswer struct {
	Answer // without a Type, which the stream does not have
	// Problem is why the view cannot answer at present, such as view_halted; it may again. nil for an answer.
	Problem *Error
}

// Watch follows a view's answer to a question, as QueryView takes it. The first answer comes at once, and then every answer that
// differs from the one before, at most ten a second, over any number of connections, until ctx ends, the loop is left, or the server
// refuses. Its last pair is then that error: the cause of ctx, or an *Error.
func (c *Client) Watch(ctx context.Context, log, view, question string, o *WatchOptions) iter.Seq2[WatchedAnswer, error] {
	o = orNew(o)
	return func(yield func(WatchedAnswer, error) bool) {
		r := get("logs", log, "views", view, "live")
		r.query = question
		f := following{FollowOptions: o.FollowOptions, client: c, request: r}
		var last message
		f.handle = func(m message) error {
			if m.event != "answer" && m.event != "problem" || last.event == m.event && bytes.Equal(last.data, m.data) {
				return nil
			}
			last = m
			var a WatchedAnswer
			if m.event == "problem" {
				a.Problem = &Error{}
				if err := json.Unmarshal(m.data, a.Problem); err != nil {
					return c.stranger(nil, err)
				}
			} else {
				a.Body = m.data
			}
			a.Sequence, _ = strconv.ParseInt(m.id, 10, 64) // 0 where a later server has other ids
			if !yield(a, nil) {
				return errEnough
			}
			return nil
		}
		if err := f.run(ctx); !errors.Is(err, errEnough) {
			yield(WatchedAnswer{}, err)
		}
	}
}
