package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// progressEvery is how often long work reports its progress in lines: often enough for a bar, and for proxies that cut idle connections.
const progressEvery = 500 * time.Millisecond

// WorkProgress is a line of a verification or an audit under way.
type WorkProgress struct {
	What  string `json:"what" doc:"chain, or the name of a view."`
	Done  int64  `json:"done" doc:"Events read so far."`
	Total int64  `json:"total" doc:"Events to read."`
}

// inLines tells whether a request asks for lines: progress now and then, and the report last.
func inLines(accept string) bool { return strings.Contains(accept, formatNDJSON.mediaType) }

// reportInLines sends the progress of work, and its report last. The status has been sent by then: an error is a line, too.
func (s *server) reportInLines(stream huma.Context, work func(ctx context.Context, progress func(WorkProgress)) (report any, err error)) {
	r, w := humago.Unwrap(stream)
	ctx, stop := s.whileAllowed(r.Context())
	defer stop()
	w.Header().Set("Content-Type", formatNDJSON.mediaType)
	w.Header().Set("Cache-Control", "no-store")
	out := json.NewEncoder(w)
	connection := http.NewResponseController(w)
	send := func(line any) {
		// A connection that cannot have a deadline is not one that a client could be slow on.
		_ = connection.SetWriteDeadline(time.Now().Add(answerWriteTimeout))
		_ = out.Encode(line) // the client has gone, which ends ctx
		_ = connection.Flush()
	}
	var sent time.Time
	report, err := work(ctx, func(p WorkProgress) {
		if time.Since(sent) >= progressEvery {
			sent = time.Now()
			send(map[string]WorkProgress{"progress": p})
		}
	})
	_ = connection.SetWriteDeadline(time.Time{})
	if err != nil {
		send(map[string]error{"problem": s.problem(ctx, err)})
		return
	}
	send(map[string]any{"report": report})
}

// reportAtOnce sends a report by itself.
func reportAtOnce(report any) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", formatJSON.mediaType)
		_ = json.NewEncoder(w).Encode(report) // the client has gone
	}}
}
