package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/framing"
	"github.com/tallystick/tallystick/internal/intake"
	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/otlp"
)

const (
	// deliveryRate is how much of a delivery a client has to send a second, beyond what a body of any size has time for.
	deliveryRate = 256 << 10
	// headBytes of a body are remembered, for the reject that is kept of one that cannot be read.
	headBytes = 16 << 10
	// cutRecordBytes is how many bytes there are of a bad record that was cut.
	cutRecordBytes = 64 << 10
	ndjson         = "application/x-ndjson"
)

// taking is a delivery that is being taken. It is for one goroutine.
type taking struct {
	*server

	gateway  gateway
	source   *intake.Source
	delivery *intake.Delivery
	room     *memory.Hold
	r        *http.Request
	w        http.ResponseWriter
	body     *arriving
	encoding otlp.Encoding
	streams  bool // results, line by line
	begun    bool // the response has
}

func (t *taking) run() {
	ctx := t.r.Context()
	t.streams = t.gateway.path == "/events" && strings.Contains(t.r.Header.Get("Accept"), ndjson)
	if t.streams {
		t.delivery.Results = t.tell
		_ = http.NewResponseController(t.w).EnableFullDuplex() // fails on HTTP/2, which is
	}
	err := t.read(ctx)
	if p := deliveryProblem(err); p != nil {
		// Nobody may ever look at the response: what there is of it is kept.
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
			p = t.transient(ctx, err)
		}
		t.fail(p)
		return
	}
	t.succeed(summary)
}

// read passes the records of the body on. The error is one of deliveryProblem's, a *Problem, or one of intake.Delivery.
func (t *taking) read(ctx context.Context) error {
	request := requestOf(ctx)
	t.body = &arriving{
		ctx: ctx, body: request.body.ReadCloser, connection: http.NewResponseController(t.w), account: request.account,
		announced: t.r.ContentLength >= 0, patience: t.BodyTimeout,
	}
	if err := t.room.Grow(ctx, baseBytes); err != nil {
		return err
	}
	body, err := framing.Decode(t.body, request.contentEncoding, maxDeliveryBytes)
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
		return t.readRecords(ctx, body)
	}
	data, err := t.whole(ctx, body)
	if err != nil {
		return err
	}
	t.r.Header.Set("Content-Type", request.contentType)
	event, err := framing.BinaryEvent(t.r.Header, data)
	if err != nil {
		return err
	}
	return t.delivery.Add(ctx, event)
}

func (t *taking) readRecords(ctx context.Context, body io.Reader) error {
	records := framing.NewRecords(body, maxRecordBytes)
	for {
		record, err := records.Next()
		var broken *framing.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
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
	encoding, known := otlp.EncodingOf(requestOf(ctx).contentType)
	t.encoding = encoding
	data, err := t.whole(ctx, body)
	if err != nil {
		return err
	}
	if !known && bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte{'{'}) {
		t.encoding = otlp.JSON
	}
	add := func(record []byte) error { return t.delivery.Add(ctx, record) }
	if t.gateway.form == intake.Logs {
		return otlp.Logs(data, t.encoding, add)
	}
	return otlp.Spans(data, t.encoding, add)
}

// whole reads a body to its end, and books what it takes.
func (t *taking) whole(ctx context.Context, body io.Reader) ([]byte, error) {
	var data []byte
	for {
		if len(data) == cap(data) {
			grown := max(2*cap(data), bodyStep)
			if err := t.room.Grow(ctx, baseBytes+int64(grown+cap(data))); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, grown), data...)
		}
		n, err := body.Read(data[len(data):cap(data)])
		if data = data[:len(data)+n]; errors.Is(err, io.EOF) {
			t.delivery.Hold(int64(cap(data)))
			return data, nil
		} else if err != nil {
			return nil, err
		}
	}
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
		t.send(http.StatusOK, t.encoding.ContentType(), otlp.AppendAnswer(t.encoding, t.gateway.signal, int64(summary.Rejected), message))
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
	requestOf(t.r.Context()).refuse(p)
	if t.begun { // what was told of is stored; the response must not pass for whole
		_ = json.NewEncoder(t.w).Encode(map[string]*Problem{"problem": p})
		panic(http.ErrAbortHandler)
	}
	_, _ = io.Copy(io.Discard, t.body.body) // for as long as a body may take: a client that still sends would not see the response
	for name, values := range p.GetHeaders() {
		t.w.Header()[name] = values
	}
	switch {
	case t.gateway.form != intake.Events:
		t.send(p.Status, t.encoding.ContentType(), otlp.AppendStatus(t.encoding, grpcCode(p.Status), p.Code+": "+p.Detail))
	case t.source.Mapping.Answer() == firehoseAnswer:
		t.send(p.Status, "application/json", t.firehose(p.Code+": "+p.Detail))
	default:
		writeProblem(t.w, p)
	}
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

// grpcCode returns the code of google.rpc.Status for an HTTP status.
func grpcCode(status int) int32 {
	const invalidArgument, permissionDenied, notFound, unauthenticated, unavailable = 3, 7, 5, 16, 14
	switch status {
	case http.StatusUnauthorized:
		return unauthenticated
	case http.StatusForbidden:
		return permissionDenied
	case http.StatusNotFound:
		return notFound
	case http.StatusServiceUnavailable:
		return unavailable
	}
	return invalidArgument
}

// baseBytes is booked for the readers of a delivery.
const baseBytes = 128 << 10

// arriving is a delivery's body as it arrives: its time grows with what has come, and where its sender's rate is exceeded, it waits. It
// remembers how it began.
type arriving struct {
	ctx        context.Context //nolint:containedctx // of the request
	body       io.Reader
	connection *http.ResponseController
	account    limits.Account
	announced  bool // its length was, and has been charged
	patience   time.Duration
	waited     time.Duration // for the client; what the server does with what has come is not the client's time
	arrived    int64
	head       []byte
}

// Read implements io.Reader. A client that is too slow gets a *Problem.
func (a *arriving) Read(p []byte) (int, error) {
	if a.ctx.Err() != nil { // also when the server stops, which ends connections sooner than this would
		return 0, context.Cause(a.ctx)
	}
	began := time.Now()
	left := a.patience + time.Duration(a.arrived)*time.Second/deliveryRate - a.waited
	_ = a.connection.SetReadDeadline(began.Add(left)) // one that cannot have a deadline is not one that a client could be slow on
	n, err := a.body.Read(p)
	a.arrived, a.waited = a.arrived+int64(n), a.waited+time.Since(began)
	if missing := headBytes - len(a.head); missing > 0 {
		a.head = append(a.head, p[:min(n, missing)]...)
	}
	if !a.announced && n > 0 {
		if over := a.charge(int64(n)); over != nil {
			return n, over
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, retry(newProblem("not_stored", "the body did not arrive in time: what came before is stored; send the same again"),
			busyRetrySeconds)
	}
	return n, err
}

// charge charges bytes to the sender's limits, and waits where its rate is exceeded.
func (a *arriving) charge(n int64) error {
	for began := time.Now(); ; {
		err := a.account.Bytes(n)
		var exceeded *limits.ExceededError
		if !errors.As(err, &exceeded) || time.Since(began)+exceeded.Wait() > a.patience {
			return err
		}
		select {
		case <-time.After(exceeded.Wait()):
		case <-a.ctx.Done():
			return a.ctx.Err()
		}
	}
}
