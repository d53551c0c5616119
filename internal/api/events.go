package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// pageScan bounds how many events one page looks at when a filter leaves most of them out: some seconds of reading.
	pageScan = 1_000_000
	// compressorBytes is about the memory of compressing a response, and of the piece of it that is being written.
	compressorBytes = 1 << 20
	// nextCursorHeader carries the cursor of pages that have no room for it.
	nextCursorHeader = "Tally-Next-Cursor"
	sequenceHeader   = "Tally-Sequence"
)

// EventRange is the part of a query string that selects events.
type EventRange struct {
	From         int64  `query:"from" minimum:"1" doc:"The first sequence."`
	After        int64  `query:"after" minimum:"0" doc:"Instead of from: the sequence before the first."`
	To           int64  `query:"to" minimum:"1" doc:"The last sequence; the head when absent."`
	TimeFrom     string `query:"time_from" doc:"Events that happened then or later (RFC 3339)." example:"2025-03-01T00:00:00Z"`
	TimeTo       string `query:"time_to" doc:"Events that happened before that."`
	RecordedFrom string `query:"recorded_from" doc:"Events that were recorded then or later (RFC 3339)."`
	RecordedTo   string `query:"recorded_to" doc:"Events that were recorded before that."`
	Type         string `query:"type" doc:"Events of this type."`
}

type listEventsInput struct {
	LogPath
	EventRange
	Format string `query:"format" hidden:"true" doc:"json, ndjson or csv; without it the Accept header decides, and then it is json."`
	CSV    string `query:"csv" enum:"raw" hidden:"true" doc:"raw, with CSV: leaves fields as they are that a spreadsheet would take for formulas. Else they have an apostrophe in front."`
	Accept string `header:"Accept" hidden:"true"`
	Limit  int32  `query:"limit" minimum:"1" maximum:"10000" doc:"The most events of a page; 100 when absent."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; give the same filters as there."`
	Stream bool   `query:"stream" hidden:"true" doc:"The whole range in one answer instead of a page."`
}

type getEventInput struct {
	LogPath
	Sequence int64 `path:"sequence" minimum:"1" doc:"The event's place in its log." example:"1"`
}

func (s *server) registerEvents(api huma.API) {
	register(s, api, access.Read, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/logs/{log}/events",
		Summary: "Read a log's events", Tags: []string{"events"},
		Description: "A page of the range, or the whole of it as a stream. Events come in the order of their sequences. " +
			"A page may be short, or empty, and have a cursor all the same, where filters leave most events out.",
		Errors:    []int{http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{"200": eventsResponse(api)},
	}, s.listEvents)
	for _, name := range []string{"time_from", "time_to", "recorded_from", "recorded_to"} {
		describeParameter(api.OpenAPI().Paths["/logs/{log}/events"].Get, name, timeSchema())
	}
	register(s, api, access.Read, huma.Operation{
		OperationID: "get-event", Method: http.MethodGet, Path: "/logs/{log}/events/{sequence}",
		Summary: "Read one event", Tags: []string{"events"},
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
		Responses: map[string]*huma.Response{"200": {Description: "The event.", Content: map[string]*huma.MediaType{
			mediaJSON: {Schema: &huma.Schema{Ref: schemaPrefix + "Event"}},
		}}},
	}, s.getEvent)
}

// listing is a checked request for events.
type listing struct {
	log    uuid.UUID
	head   event.Head
	query  eventlog.Query
	format eventFormat
	limit  int
	scope  [sha256.Size]byte // stands for the log and the filters, which a cursor goes with
}

func (s *server) listEvents(ctx context.Context, in *listEventsInput) (*huma.StreamResponse, error) {
	l, err := s.listing(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.Stream {
		return s.streamEvents(ctx, l)
	}
	room := requestOf(ctx).answer
	if err := s.book(ctx, eventlog.PageBytes(l.limit)); err != nil { // before a database connection is used
		return nil, err
	}
	page, err := s.Events.Page(ctx, l.log, l.head, l.query, l.limit, pageScan, room)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	if room.Bytes() > memory.Small {
		if err := s.bookNow(ctx, room.Bytes()+compressorBytes); err != nil {
			return nil, err
		}
	}
	cursor := ""
	if !page.Done {
		cursor = l.cursor(page.Through)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		s.respond(ctx, func(w http.ResponseWriter, r *http.Request, _ *paced) {
			l.format.setHeaders(w.Header(), l.head)
			if cursor != "" {
				w.Header().Set(nextCursorHeader, cursor)
			}
			if r.Method != http.MethodHead {
				_ = l.format.writePage(w, page.Events, cursor) // the client has gone
			}
		})
	}}, nil
}

func (s *server) getEvent(ctx context.Context, in *getEventInput) (*huma.StreamResponse, error) {
	log, head, err := s.head(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	if in.Sequence > head.Sequence {
		return nil, unknownSequence(head)
	}
	page, err := s.Events.Page(ctx, log, head, eventlog.Query{From: in.Sequence, Through: in.Sequence}, 1, 1, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	if len(page.Events) == 0 {
		return nil, s.problem(ctx, errors.New("event "+strconv.FormatInt(in.Sequence, 10)+" of log "+log.String()+" is missing"))
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		s.respond(ctx, func(w http.ResponseWriter, _ *http.Request, _ *paced) {
			formatJSON.setHeaders(w.Header(), head)
			_ = formatJSON.write(w, page.Events, "", "\n") // the client has gone
		})
	}}, nil
}

// head finds a log and its head.
func (s *server) head(ctx context.Context, ref string) (uuid.UUID, event.Head, error) {
	log, err := s.resolve(ctx, ref)
	if err != nil {
		return log, event.Head{}, err
	}
	head, err := s.Events.Head(ctx, log)
	if err != nil {
		return log, head, s.problem(ctx, err)
	}
	return log, head, nil
}

func unknownSequence(head event.Head) *Problem {
	p := newProblem("sequence_not_found", "the log has no event with that sequence: it ends at "+strconv.FormatInt(head.Sequence, 10))
	p.Head = &head.Sequence
	return p
}

// listing checks a request for events.
func (s *server) listing(ctx context.Context, in *listEventsInput) (*listing, error) {
	format, err := negotiate(in.Format, in.Accept)
	if err != nil {
		return nil, err
	}
	if in.CSV != "" {
		if format.name != formatCSV.name {
			return nil, newProblem("unsupported_format", "csv="+in.CSV+" goes with events as CSV: give format=csv too")
		}
		format.event = event.AppendRawCSV
	}
	log, head, err := s.head(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	query, err := in.query(head)
	if err != nil {
		return nil, err
	}
	if err := event.CheckType(in.Type); err != nil {
		return nil, s.problem(ctx, err)
	}
	l := &listing{log: log, head: head, query: query, format: format, limit: int(in.Limit)}
	if l.limit == 0 {
		l.limit = 100
	}
	l.scope = in.scope(log)
	switch {
	case in.Stream && (in.Limit > 0 || in.Cursor != ""):
		return nil, newProblem("invalid_range",
			"a stream is the whole range: leave out limit and cursor, or leave out stream; from says where a stream goes on")
	case in.Cursor != "":
		after, ok := l.readCursor(in.Cursor)
		if !ok {
			return nil, newProblem("invalid_cursor", "the cursor is not one of this log with these filters: "+
				"give next_cursor as it came, and the parameters of the page it came with")
		}
		l.query.From = after + 1
	}
	return l, nil
}

// query reads the range. The error is a *Problem.
func (in *EventRange) query(head event.Head) (q eventlog.Query, err error) {
	crossed := func(what string) error {
		return newProblem("crossed_range", what+": no event could be in that range; did the two get mixed up?")
	}
	q = eventlog.Query{From: in.From, Through: in.To, Filter: db.EventFilter{Type: in.Type}}
	if in.From > 0 && in.After > 0 {
		return q, newProblem("invalid_range", "from and after both say where to start: give one of them")
	}
	if in.After > head.Sequence {
		return q, unknownSequence(head)
	}
	if in.After > 0 {
		q.From = in.After + 1
	}
	if in.To > 0 && q.From > in.To {
		return q, crossed("the range starts at " + strconv.FormatInt(q.From, 10) + " and ends at " + strconv.FormatInt(in.To, 10))
	}
	if q.From > head.Sequence+1 {
		return q, unknownSequence(head)
	}
	for _, t := range []struct {
		name, text string
		to         **int64
	}{
		{"time_from", in.TimeFrom, &q.Filter.TimeFrom},
		{"time_to", in.TimeTo, &q.Filter.TimeTo},
		{"recorded_from", in.RecordedFrom, &q.RecordedFrom},
		{"recorded_to", in.RecordedTo, &q.RecordedTo},
	} {
		if *t.to, err = readTime(t.name, t.text); err != nil {
			return q, err
		}
	}
	if q.Filter.TimeFrom != nil && q.Filter.TimeTo != nil && *q.Filter.TimeFrom >= *q.Filter.TimeTo {
		return q, crossed("time_from is not before time_to")
	}
	if q.RecordedFrom != nil && q.RecordedTo != nil && *q.RecordedFrom >= *q.RecordedTo {
		return q, crossed("recorded_from is not before recorded_to")
	}
	return q, nil
}

func readTime(name, text string) (*int64, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no bound, and no error
	}
	t, ok := event.ParseTime(text)
	if !ok {
		return nil, newProblem("invalid_range", name+" is no RFC 3339 time such as 2025-03-01T00:00:00Z (in a URL, a + is written %2B)")
	}
	// Times are kept to the microsecond: a bound between two is that of the later one.
	micros := t.Add(time.Microsecond - 1).UnixMicro()
	return &micros, nil
}

// cursorDigestBytes distinguish a cursor from one of another listing, or a damaged one. A forged cursor reads no more than anybody may who
// may read the log.
const cursorDigestBytes = 8

// scope stands for everything that must not change between the pages of a listing.
func (in *listEventsInput) scope(log uuid.UUID) [sha256.Size]byte {
	b := append([]byte(nil), log[:]...)
	for _, text := range []string{strconv.FormatInt(in.To, 10), in.TimeFrom, in.TimeTo, in.RecordedFrom, in.RecordedTo, in.Type} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text))) //nolint:gosec // a URL is shorter
		b = append(b, text...)
	}
	return sha256.Sum256(b)
}

// cursor encodes the position after a sequence.
func (l *listing) cursor(after int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(after)) //nolint:gosec // a sequence is positive
	digest := sha256.Sum256(append(l.scope[:], b...))
	return base64.RawURLEncoding.EncodeToString(append(b, digest[:cursorDigestBytes]...))
}

func (l *listing) readCursor(text string) (after int64, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8+cursorDigestBytes {
		return 0, false
	}
	after = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked below
	return after, after >= 0 && after <= l.head.Sequence && l.cursor(after) == text
}
