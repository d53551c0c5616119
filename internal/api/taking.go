package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/otlp"
	"github.com/tallystick/tallystick/internal/source"
)

const (
	// cutRecordBytes is how many bytes there are of a bad record that was cut.
	cutRecordBytes = 64 << 10
	// mediumBytes: of what is held of bodies, more than twice as much needs one of the places for long ones. The last step of what grows
	// by doubling is from there to all of it.
	mediumBytes = 4 << 20
	longBytes   = maxDeliveryBytes + mediumBytes/4
	firstBytes  = 16 << 10 // of a body that is held whole
	ndjson      = "application/x-ndjson"
	// envelopeBytes: an envelope that is longer is read as it comes.
	envelopeBytes = 16 << 10
	// detectedBytes of a body of OTLP show its encoding where its Content-Type does not.
	detectedBytes = 64
)

// taking is a delivery that is being taken. It is for one goroutine.
type taking struct {
	*server

	gateway  gateway
	source   *intake.Source
	delivery *intake.Delivery
	room     *memory.Hold
	// These are parts of room: for the body's beginning, taking its encoding off, splitting it, a record of OTLP, and a body held whole.
	head, decoding, window, record, held int64
	unbooked                             error // why a part was not

	r        *http.Request
	w        http.ResponseWriter
	body     *arriving
	giveLong func() // the place for a long body; nil without one
	streams  bool   // results, line by line
	begun    bool   // the response has
}

func (t *taking) run() {
	defer func() {
		if t.giveLong != nil {
			t.giveLong()
		}
	}()
	ctx := t.r.Context()
	request := requestOf(ctx)
	t.body = &arriving{
		ctx: ctx, body: request.body.ReadCloser, connection: http.NewResponseController(t.w), account: request.account,
		announced: t.r.ContentLength >= 0, shared: t.r.ProtoMajor > 1, patience: t.BodyTimeout,
		still:    func() error { return t.recheck(ctx) },
		bookHead: func(bytes int64) error { return t.book(ctx, &t.head, bytes) },
	}
	if t.validates() {
		t.validate()
		return
	}
	t.streams = t.gateway.path == "/events" && strings.Contains(t.r.Header.Get("Accept"), ndjson)
	if t.streams {
		t.delivery.Results = t.tell
		_ = http.NewResponseController(t.w).EnableFullDuplex() // fails on HTTP/2, which is
	}
	err := t.read(ctx)
	if p := t.bodyProblem(err); p != nil {
		// Nobody may ever look at the response: what there is of the body is kept.
		t.decoding, t.window, t.record, t.held = 0, 0, 0, 0
		t.body.begin()
		ctx, cancel := keeping(ctx)
		defer cancel()
		err = t.delivery.Refuse(ctx, t.body.head, false, p.Code, p.Detail)
		if _, finishing := t.delivery.Finish(ctx); err == nil {
			err = finishing
		}
		if err == nil {
			t.fail(p)
			return
		}
	}
	var summary intake.Summary
	if err == nil {
		summary, err = t.delivery.Finish(ctx)
	}
	if err != nil {
		var p *Problem
		if !errors.As(err, &p) {
			p = notFinal(t.transient(ctx, err))
		}
		t.fail(p)
		return
	}
	t.succeed(summary)
}

// bodyProblem returns what is wrong with the body; nil where err is of another kind.
func (t *taking) bodyProblem(err error) *Problem {
	if errors.Is(err, io.ErrUnexpectedEOF) && errors.Is(t.body.failure, io.ErrUnexpectedEOF) { // and not a connection to the database
		return newProblem("body_incomplete", "the body broke off before its end"+cameBefore)
	}
	if errors.Is(err, intake.ErrNeverFits) {
		return newProblem("body_too_large", "a record, or what has to be held until its resource comes, takes more memory than this "+
			"server has for one request: send less at once, or have an operator raise --memory-limit"+cameBefore)
	}
	return deliveryProblem(err)
}

// keepTimeout bounds keeping what came of a body whose client has gone.
const keepTimeout = 10 * time.Second

// keeping returns a context for keeping what came of a body: that it broke off must not be the end of that.
func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil || isStopping(ctx) {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
}

// read passes the records of the body on. The error is one of deliveryProblem's, a *Problem, or one of intake.Delivery.
func (t *taking) read(ctx context.Context) error {
	err := t.readBody(ctx)
	if t.unbooked != nil {
		return t.unbooked
	}
	return err
}

// errUnbooked stands for taking.unbooked where a body is read: that may be a connection to the database that broke off, and must not be
// taken for the body's end.
var errUnbooked = errors.New("memory was not booked")

func (t *taking) readBody(ctx context.Context) error {
	request := requestOf(ctx)
	if err := t.delivery.Hold(ctx, 0); err != nil {
		return err
	}
	body, err := framing.DecodeBooked(t.body, request.contentEncoding, maxDeliveryBytes, func(bytes int64) error {
		return t.book(ctx, &t.decoding, bytes)
	})
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // returns readers to a pool
	if t.gateway.form != intake.Events {
		return t.readOTLP(ctx, body)
	}
	if framing.Kind(request.contentType, t.r.Header) != framing.Binary {
		if err := framing.CheckType(request.contentType); err != nil {
			return err
		}
		if framing.MediaType(request.contentType) == unreadMedia && t.gateway.path == eventsPath {
			return t.readUnread(ctx, body)
		}
		return t.readRecords(ctx, body)
	}
	data, err := t.whole(ctx, io.LimitReader(body, event.MaxBytes+1))
	if err != nil {
		return err
	}
	if len(data) > event.MaxBytes {
		t.body.drop()
		return t.delivery.Refuse(ctx, data[:headBytes], false, "event_too_large", "the event's data is longer than an event may be")
	}
	t.r.Header.Set("Content-Type", request.contentType)
	structured, err := framing.BinaryEvent(t.r.Header, data)
	if err != nil {
		return err
	}
	return t.delivery.Add(ctx, structured)
}

func (t *taking) readRecords(ctx context.Context, body io.Reader) error {
	records := framing.NewRecords(body, maxRecordBytes).Booked(func(bytes int64) error { return t.bookWindow(ctx, bytes) })
	if t.source.Mapping.Unwraps() {
		records = records.Walking(envelopeBytes, maxDeliveryBytes)
	}
	for {
		record, err := records.Next()
		var broken *framing.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case record.Long != nil:
			err = t.delivery.AddLong(ctx, record.Data, source.Envelope{
				In: record.Long, Most: maxDeliveryBytes, Book: func(bytes int64) error { return t.book(ctx, &t.record, bytes) },
			})
		case errors.As(record.Err, &broken):
			whole := broken.Code != framing.TooLong && len(record.Data) < cutRecordBytes
			err = t.delivery.Refuse(ctx, record.Data, whole, broken.Code, broken.Detail)
		default:
			err = t.delivery.Add(ctx, record.Data)
		}
		if err != nil {
			return err
		}
	}
}

func (t *taking) readOTLP(ctx context.Context, body io.Reader) error {
	request := requestOf(ctx)
	if _, known := otlp.EncodingOf(request.contentType); !known {
		buffered := bufio.NewReaderSize(body, detectedBytes)
		beginning, _ := buffered.Peek(detectedBytes) // the next read has the error
		request.encoding, body = otlp.Detect(beginning), buffered
	}
	room := otlp.Room{
		Body:   func(bytes int64) error { return t.bookWindow(ctx, bytes) },
		Record: func(bytes int64) error { return t.book(ctx, &t.record, bytes) },
	}
	add := func(record []byte) error { return t.delivery.Add(ctx, record) }
	if t.gateway.form == intake.Logs {
		return room.Logs(body, request.encoding, add)
	}
	return room.Spans(body, request.encoding, add)
}

// bookWindow books what is held of a body. Only so many of one tenant's may be long at a time.
func (t *taking) bookWindow(ctx context.Context, bytes int64) error {
	if bytes > 2*mediumBytes {
		if err := t.takeLong(); err != nil {
			return err
		}
	}
	return t.book(ctx, &t.window, bytes)
}

// book books so many bytes for a part of room.
func (t *taking) book(ctx context.Context, part *int64, bytes int64) error {
	had := *part
	*part = bytes
	err := t.delivery.Hold(ctx, t.head+t.decoding+t.window+t.record+t.held)
	if err != nil {
		*part, t.unbooked = had, err
		return errUnbooked
	}
	return nil
}

// whole reads a short body to its end, and books what it takes.
func (t *taking) whole(ctx context.Context, body io.Reader) ([]byte, error) {
	var data []byte
	for {
		if len(data) == cap(data) {
			grown := max(4*cap(data), firstBytes)
			if err := t.book(ctx, &t.held, int64(grown+cap(data))); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, grown), data...)
		}
		n, err := body.Read(data[len(data):cap(data)])
		if data = data[:len(data)+n]; errors.Is(err, io.EOF) {
			return data, t.book(ctx, &t.held, int64(cap(data)))
		} else if err != nil {
			return nil, err
		}
	}
}

// takeLong takes one of the places for long bodies, until the delivery is done.
func (t *taking) takeLong() error {
	if t.giveLong != nil {
		return nil
	}
	give, ok := t.longBodies.take(t.source.Tenant)
	if !ok {
		return fullProblem()
	}
	t.giveLong = give
	return nil
}

// tell sends results as they become durable.
func (t *taking) tell(results []intake.Result) error {
	if !t.begun {
		t.begun = true
		t.w.Header().Set("Content-Type", ndjson)
		t.w.WriteHeader(http.StatusOK)
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for i := range results {
		if err := encoder.Encode(&results[i]); err != nil {
			return err
		}
	}
	if _, err := t.w.Write(lines.Bytes()); err != nil {
		return err
	}
	return http.NewResponseController(t.w).Flush()
}

func (t *taking) succeed(summary intake.Summary) {
	header := t.w.Header()
	switch {
	case t.streams:
		if !t.begun { // a delivery of nothing
			header.Set("Content-Type", ndjson)
			t.w.WriteHeader(http.StatusOK)
		}
	case t.gateway.form != intake.Events:
		message := ""
		if first := summary.FirstRejected; first != nil {
			message = first.Code + ": " + first.Detail + "; they are kept in the log " + intake.RejectsOf(t.source.Name)
		}
		encoding := requestOf(t.r.Context()).encoding
		t.send(http.StatusOK, encoding.ContentType(), otlp.AppendAnswer(encoding, t.gateway.signal, int64(summary.Rejected), message))
	case t.source.Mapping.Answer() == firehoseAnswer:
		t.send(http.StatusOK, "application/json", t.firehose(""))
	case t.gateway.path != "/events":
		t.w.WriteHeader(http.StatusNoContent)
	default:
		body, _ := json.Marshal(summary) // it can always be encoded
		t.send(http.StatusOK, "application/json", append(body, '\n'))
	}
}

func (t *taking) send(status int, contentType string, body []byte) {
	t.w.Header().Set("Content-Type", contentType)
	t.w.WriteHeader(status)
	_, _ = t.w.Write(body) // the client has gone
}

// fail answers with a problem, in the form that the gateway's protocol has for it.
func (t *taking) fail(p *Problem) {
	if t.begun { // what was told of is stored; the response must not pass for whole
		requestOf(t.r.Context()).refuse(p)
		_ = json.NewEncoder(t.w).Encode(map[string]*Problem{"problem": p})
		_ = http.NewResponseController(t.w).Flush()
		panic(http.ErrAbortHandler)
	}
	t.room.Release() // what is still to come is read, but not held
	t.body.drop()
	if t.gateway.form == intake.Events && t.source.Mapping.Answer() == firehoseAnswer {
		requestOf(t.r.Context()).refuse(p)
		for name, values := range p.GetHeaders() {
			t.w.Header()[name] = values
		}
		t.send(p.Status, "application/json", t.firehose(p.Code+": "+p.Detail))
		return
	}
	writeProblem(t.w, p)
}

// firehoseAnswer is the answer of a mapping whose source is Amazon Data Firehose.
const firehoseAnswer = "firehose"

// firehose returns the body that Firehose wants: the id of the request, and when it was answered in milliseconds since 1970.
func (t *taking) firehose(failure string) []byte {
	body, _ := json.Marshal(struct { // it can always be encoded
		RequestID string `json:"requestId"`
		Timestamp int64  `json:"timestamp"`
		Error     string `json:"errorMessage,omitempty"`
	}{t.r.Header.Get("X-Amz-Firehose-Request-Id"), time.Now().UnixMilli(), failure})
	return body
}
