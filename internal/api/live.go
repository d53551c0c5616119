package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
)

const (
	// answersEvery is the least time between two answers of a live view: people and dashboards do not see more, and a query costs gas.
	answersEvery = 100 * time.Millisecond
	// A stream stays open while the database is away, or there is no memory for what comes next, for databaseTries times databaseRetry:
	// some restarts and failovers. Who stays learns whether the events that it has seen are gone afterwards. Who comes back with a
	// sequence cannot.
	databaseTries = 60
	databaseRetry = 500 * time.Millisecond
	// watchersRetrySeconds: watchers come and go by the minute.
	watchersRetrySeconds = 30
)

type tailInput struct {
	LogPath
	After       string `query:"after" doc:"The sequence after which to start; the head when absent."`
	Type        string `query:"type" doc:"Events of this type only."`
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event received: goes before after. Browsers send it when they reconnect."`
}

// Resolve implements huma.Resolver.
func (in *tailInput) Resolve(ctx huma.Context) []error {
	if request, _ := humago.Unwrap(ctx); request.ContentLength != 0 { // it would count as being read for as long as the tail goes on
		return []error{&huma.ErrorDetail{Location: "body", Message: "a tail has no body: put what is wanted into the query string"}}
	}
	return nil
}

type liveInput struct {
	QueryParams
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last answer received. The answer of now comes first in any case."`
}

func (s *server) registerLive(api huma.API) {
	events := func(what string) map[string]*huma.Response {
		return map[string]*huma.Response{"200": {Description: what, Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}},
		}}}
	}
	register(s, api, access.Read, huma.Operation{
		OperationID: "tail-events", Method: http.MethodGet, Path: "/logs/{log}/tail",
		Summary: "Follow a log's events", Tags: []string{"live"},
		Description: "Server-sent events: one for each event from a sequence on, as it is committed by any server. " +
			"The id is the sequence, by which a client resumes.",
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		Responses: events("Events named event, with the event as one line of JSON; " +
			"one named end, with a problem, when the server ends the stream."),
	}, s.tailLog)
	describeParameter(api.OpenAPI().Paths["/logs/{log}/tail"].Get, "after", sequenceSchema())
	register(s, api, access.Query, huma.Operation{
		OperationID: "watch-view", Method: http.MethodGet, Path: "/logs/{log}/views/{view}/live",
		Summary: "Follow a view's answer", Tags: []string{"live"},
		Description: "Server-sent events: the answer to the query in the query string, now and whenever it changes, " +
			"at most ten times a second. The id is the sequence that it reflects.",
		Errors: []int{
			http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusUnprocessableEntity,
		},
		Parameters: []*huma.Param{questionParameter()},
		Responses: events("Events named answer; one named problem when the view cannot answer for now; " +
			"one named end, with a problem, when the server ends the stream."),
	}, s.watchView)
}

// watch begins to watch a log, after the sequence that a client has seen, or else after the head. The error is a *Problem.
func (s *server) watch(ctx context.Context, log uuid.UUID, seen string) (watch *watching, after live.Position, err error) {
	closeStream, err := requestOf(ctx).account.OpenStream()
	if err != nil {
		return nil, after, s.problem(ctx, err)
	}
	defer func() {
		if err != nil {
			closeStream()
		}
	}()
	watched, err := s.Live.Watch(log) // before the head is read, so that nothing between the two is missed
	switch {
	case errors.Is(err, live.ErrTooManyWatchers):
		p := newProblem("too_many_watchers",
			"as many clients as the server allows are watching; try again later, or ask another server")
		return nil, after, retry(p, watchersRetrySeconds)
	case errors.Is(err, live.ErrClosed):
		return nil, after, stopping()
	case err != nil:
		return nil, after, s.problem(ctx, err)
	}
	if after, err = s.seen(ctx, watched, seen); err != nil {
		watched.Close()
		return nil, after, err
	}
	return &watching{watched, closeStream}, after, nil
}

func (s *server) seen(ctx context.Context, watch *live.Watch, seen string) (live.Position, error) {
	head, err := watch.Head(ctx)
	if err != nil {
		return live.Position{}, s.problem(ctx, err)
	}
	end := live.Position{Sequence: head.Sequence, Hash: head.Hash}
	if seen == "" {
		return end, nil
	}
	after, err := strconv.ParseInt(seen, 10, 64)
	switch {
	case err != nil || after < 0:
		return live.Position{}, newProblem("invalid_event_id",
			"Last-Event-ID, or after, is "+strconv.Quote(seen)+"; it must be a sequence of this log, or 0 for its beginning")
	case after > head.Sequence:
		return live.Position{}, unknownEventID(head.Sequence)
	case after == head.Sequence:
		return end, nil
	}
	return live.Position{Sequence: after}, nil
}

// unknownEventID is the problem of a client that has seen what the log does not hold.
func unknownEventID(head int64) *Problem {
	p := newProblem("unknown_event_id", "the log, which ends at "+strconv.FormatInt(head, 10)+
		", does not hold the event that was received last: is it another log, or was its database set back? "+
		"Start anew, without Last-Event-ID")
	p.Head = &head
	return p
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func stopping() *Problem {
	return retry(newProblem("stopping", "the server is stopping; come back in a moment, to this server or another"), busyRetrySeconds)
}

// stream is a stream of server-sent events.
type stream struct {
	comment string
	id      func() int64 // where a client resumes; noID where the next message comes in any case
	// send is called at once and whenever the log has moved. It reports whether the stream has ended.
	send func(context.Context, *sse) (ended bool, err error)
}

// follow runs a stream until its client has gone, it fails, or the server stops.
func (s *server) follow(ctx huma.Context, watch *live.Watch, stream stream) {
	r, w := humago.Unwrap(ctx)
	out := newSSE(w, s.WatchTimeout, s.Live.Done())
	if r.Method == http.MethodHead {
		return
	}
	defer s.Live.OnEnd(out.hurry)()
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	if out.begin(stream.comment, stream.id()) != nil {
		return
	}
	allowed, err := s.stillAllowed(r.Context())
	for failures := 0; ; {
		if err != nil { // the client may not go on
			s.endWith(r.Context(), out, err)
			return
		}
		_, moved := watch.State()
		done := s.sending.turn(r.Context(), s.Live.Done())
		ended, sendErr := stream.send(r.Context(), out)
		done()
		var again <-chan time.Time
		switch {
		case r.Context().Err() != nil, ended:
			return
		case sendErr == nil:
			failures = 0
		case (errors.Is(sendErr, db.ErrUnavailable) || errors.Is(sendErr, memory.ErrFull)) && failures < databaseTries:
			failures++
			again = time.After(databaseRetry)
		default:
			s.endWith(r.Context(), out, s.problem(r.Context(), sendErr))
			return
		}
		if closed(s.Live.Done()) { // whatever else there is
			s.endWith(r.Context(), out, stopping())
			return
		}
		for waiting := true; waiting && err == nil; {
			waiting = false
			select {
			case <-r.Context().Done():
				return
			case <-s.Live.Done():
			case <-moved:
			case <-again:
			case <-allowed.changed: // which is no reason to send
				waiting = true
				allowed, err = s.stillAllowed(r.Context())
			case <-allowed.expired:
				allowed, err = s.stillAllowed(r.Context())
			case <-beat.C:
				if out.heartbeat(stream.id()) != nil {
					return
				}
			}
		}
	}
}

// endWith ends a stream with a *Problem.
func (s *server) endWith(ctx context.Context, out *sse, err error) {
	var p *Problem
	if errors.As(err, &p) {
		requestOf(ctx).refuse(p)
		out.end(p)
	}
}

func (s *server) tailLog(ctx context.Context, in *tailInput) (*huma.StreamResponse, error) {
	log, err := s.resolve(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	seen := in.LastEventID
	if seen == "" {
		seen = in.After
	}
	watch, after, err := s.watch(ctx, log, seen)
	if err != nil {
		return nil, err
	}
	tail := stream{comment: "events after " + strconv.FormatInt(after.Sequence, 10), id: func() int64 { return after.Sequence }}
	allowed, err := s.stillAllowed(ctx)
	if err != nil {
		watch.Close()
		return nil, err
	}
	tail.send = func(ctx context.Context, out *sse) (ended bool, err error) {
		for !closed(s.Live.Done()) {
			if allowed.isDue() { // a tail that lags does not come to its end
				if allowed, err = s.stillAllowed(ctx); err != nil {
					return false, err
				}
			}
			lines, through, err := watch.Events(ctx, after, requestOf(ctx).answer)
			if err != nil || through == after {
				return false, err
			}
			for _, line := range lines {
				if in.Type != "" && in.Type != line.Type {
					continue
				}
				if err := out.add(line.Sequence, "event", line.JSON); err != nil {
					return s.cut(ctx, log, err)
				}
			}
			if err := out.flush(); err != nil {
				return s.cut(ctx, log, err)
			}
			after = through
		}
		return false, nil
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // it is the request's own
		defer watch.Close()
		s.follow(ctx, watch.Watch, tail)
	}}, nil
}

// cut logs that a client was cut off, or has gone.
func (s *server) cut(ctx context.Context, log uuid.UUID, err error) (ended bool, _ error) {
	s.Log.LogAttrs(ctx, slog.LevelInfo, "a watcher was cut off", slog.String("log", log.String()), slog.Any("error", err))
	return true, nil
}

func (s *server) watchView(ctx context.Context, in *liveInput) (*huma.StreamResponse, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	log, err := s.resolveView(ctx, &in.ViewPath)
	if err != nil {
		return nil, err
	}
	watch, _, err := s.watch(ctx, log, in.LastEventID)
	if err != nil {
		return nil, err
	}
	key := live.QueryKey{Log: log, View: in.View, Query: in.query}
	query := s.queries.Join(key)
	leave := func() {
		s.queries.Leave(key)
		watch.Close()
	}
	ask := func(ctx context.Context, run queryFunc) (*live.Outcome, error) {
		state, _ := watch.State()
		return query.Outcome(ctx, state, func() (*live.Outcome, error) { return s.ask(ctx, run, key) })
	}
	first, err := ask(ctx, s.Views.Query) // somebody waits for the first answer
	if err != nil {
		leave()
		return nil, s.problem(ctx, err)
	}
	first.Release()       // the query still holds it
	if first.Err != nil { // a query that cannot be answered at all
		leave()
		return nil, first.Err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) { //nolint:contextcheck // it is the request's own
		defer leave()
		s.follow(ctx, watch.Watch, s.answerStream(log, in.View, func(ctx context.Context) (*live.Outcome, error) {
			ctx, cancel := context.WithCancel(ctx) // a renewal waits for its turn without limit, unless the server stops
			defer cancel()
			defer s.Live.OnEnd(cancel)()
			return ask(ctx, s.Views.Renew)
		}))
	}}, nil
}

// answerStream is the stream of what ask returns, whenever that differs from what was sent last.
func (s *server) answerStream(log uuid.UUID, name string, ask func(context.Context) (*live.Outcome, error)) stream {
	var last *live.Fingerprint
	deliver := func(out *sse, outcome *live.Outcome) (sent bool, err error) {
		defer outcome.Release()
		now := outcome.Fingerprint()
		if last != nil && *last == now {
			return false, nil
		}
		last = &now
		id, event := outcome.Sequence, "answer"
		if outcome.Err != nil {
			id, event = noID, "problem"
		}
		if err := out.add(id, event, outcome.Body); err != nil {
			return false, err
		}
		return true, out.flush()
	}
	send := func(ctx context.Context, out *sse) (ended bool, _ error) {
		outcome, err := ask(ctx)
		if err != nil && closed(s.Live.Done()) { // follow ends the stream with that
			return false, nil
		} else if err != nil {
			return false, err
		}
		sent, err := deliver(out, outcome)
		if err != nil {
			return s.cut(ctx, log, err)
		} else if !sent {
			return false, nil
		}
		select { // not more often
		case <-ctx.Done():
		case <-s.Live.Done():
		case <-time.After(answersEvery):
		}
		return false, nil
	}
	return stream{comment: "answers of " + url.PathEscape(name), id: func() int64 { return noID }, send: send}
}

// queryFunc is one of the ways to query a view.
type queryFunc func(ctx context.Context, log uuid.UUID, name, query string, room *memory.Hold) (view.Answer, error)

// ask runs a query for all who watch it. That its view is halted or building is an outcome, too: it may answer again. An error is the
// caller's alone.
func (s *server) ask(ctx context.Context, run queryFunc, key live.QueryKey) (*live.Outcome, error) {
	room := s.Answers.Hold()
	answer, err := run(ctx, key.Log, key.View, key.Query, room)
	if err == nil {
		return live.NewAnswer(answer.Sequence, answer.Body, room), nil
	}
	room.Release()
	if errors.Is(err, eventlog.ErrLogNotFound) { // nor will it ever be again, under this id
		return nil, err
	}
	if ctx.Err() != nil { // this client has gone, which concerns no other
		return nil, err
	}
	var p *Problem
	if !errors.As(s.problem(ctx, err), &p) || p.Status >= http.StatusInternalServerError && p.Code != "view_building" {
		return nil, err
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encoding a problem: %w", err)
	}
	return live.NewFailure(p, body), nil
}
