package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/logfile"
	"github.com/tallystick/tallystick/internal/source"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// batchLines and batchBytes bound what one request sends. A server that fails has little to do again.
	batchLines = 2000
	batchBytes = 4 << 20
	// firstSendRetry is the delay before a request that failed for now is sent again. Each failure doubles it, up to lastSendRetry.
	firstSendRetry = 250 * time.Millisecond
	lastSendRetry  = 15 * time.Second
)

// sentLine is a line of a batch.
type sentLine struct {
	data []byte
	line int64 // of the file
}

// outcome counts what became of lines.
type outcome struct{ stored, duplicates, skipped, rejected int64 }

func (o *outcome) add(other outcome) {
	o.stored += other.stored
	o.duplicates += other.duplicates
	o.skipped += other.skipped
	o.rejected += other.rejected
}

// destination is where lines go. Its state, between calls, is for one goroutine.
type destination interface {
	// begin prepares for the records of an input, of which one has been read. An error is of no record, but of all.
	begin(in *logfile.Input) error
	// events makes what is sent of a record. The error says why it cannot be.
	events(record logfile.Record, each func(data []byte)) (outcome, error)
	// send sends lines. Each of them is durable, or reported, when it returns without an error.
	send(ctx context.Context, lines []sentLine, report func(line int64, reason string)) (outcome, error)
	// keeps says where lines that could not be read are kept, "" for nowhere; keep keeps them there, durably.
	keeps() string
	keep(ctx context.Context, lines []unreadLine) error
}

// unreadMedia is the media type of lines that could not be read, each of them an unreadLine.
const unreadMedia = "application/vnd.tallystick.unread+json"

// unreadLine is a line that is of no use, as a source keeps it.
type unreadLine struct {
	Raw       string `json:"raw,omitempty"`
	RawBase64 []byte `json:"raw_base64,omitempty"` // instead, of what is no text
	Whole     bool   `json:"whole"`
	Detail    string `json:"detail"`
}

// unread is a record that could not be read, of a file of that name.
func unread(name string, record *logfile.Record) unreadLine {
	detail := fmt.Sprintf("%s:%d: %v", filepath.Base(name), record.Line, record.Err)
	line := unreadLine{Whole: record.Whole, Detail: shorten(detail, reasonRunes)}
	if utf8.Valid(record.Raw) {
		line.Raw = string(record.Raw)
	} else {
		line.RawBase64 = bytes.Clone(record.Raw)
	}
	return line
}

// toSource sends records to a source, whose mapping the server applies.
type toSource struct {
	client     *tally.Client
	name       string
	positional bool
	retry      *retrying
}

// needIdentity refuses a source that stores records without identity: what is sent again, as this command does, would count again. A key
// that may only append cannot look.
func needIdentity(ctx context.Context, c *tally.Client, name string) error {
	found, err := c.GetSource(ctx, name, nil)
	if err != nil {
		return nil //nolint:nilerr // sending says what is wrong
	}
	var mapping map[string]json.RawMessage
	if err := json.Unmarshal(found.Resolved, &mapping); err != nil {
		return fmt.Errorf("reading the mapping of source %s: %w", name, err)
	}
	if string(mapping["id"]) == "null" {
		return fmt.Errorf(`source %s stores records without identity ("id": null): what is sent again would count again; `+
			"give its mapping an id, or send the file to another source", name)
	}
	return nil
}

func (t *toSource) begin(*logfile.Input) error { return nil }

func (t *toSource) events(record logfile.Record, each func([]byte)) (outcome, error) {
	if t.positional {
		each(inOneLine(withID(record.Data, record.ID)))
	} else {
		each(inOneLine(record.Data))
	}
	return outcome{}, nil
}

func (t *toSource) send(ctx context.Context, lines []sentLine, report func(int64, string)) (outcome, error) {
	var d tally.Delivered
	err := t.retry.do(ctx, func() (err error) {
		d, err = t.client.SendEvents(ctx, t.name, body(lines), nil)
		return err
	})
	if err != nil {
		return outcome{}, fmt.Errorf("sending to source %s: %w", t.name, err)
	}
	if first := d.FirstRejected; first != nil && first.Line >= 1 && first.Line <= len(lines) {
		reason := fmt.Sprintf("%s (%s)", first.Detail, first.Code)
		if d.Rejected > 1 {
			reason += fmt.Sprintf("; so are %d others of the next %d lines", d.Rejected-1, len(lines)-first.Line)
		}
		report(lines[first.Line-1].line, reason+"; it is kept in "+t.keeps())
	}
	return outcome{int64(d.Stored), int64(d.Duplicates), int64(d.Skipped), int64(d.Rejected)}, nil
}

func (t *toSource) keeps() string { return "the log rejects-" + t.name }

func (t *toSource) keep(ctx context.Context, lines []unreadLine) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for i := range lines {
		if err := encoder.Encode(&lines[i]); err != nil {
			return err
		}
	}
	err := t.retry.do(ctx, func() error {
		_, err := t.client.SendEvents(ctx, t.name, b.Bytes(), &tally.SendOptions{ContentType: unreadMedia})
		return err
	})
	if err != nil {
		return fmt.Errorf("sending to source %s what could not be read: %w", t.name, err)
	}
	return nil
}

// toLog makes events of records and appends them to one log. It maps them here, not on the server, so that what the events do not keep
// never leaves the machine, and no source has to be made for it.
type toLog struct {
	client  *tally.Client
	log     string
	flags   *mappingFlags
	retry   *retrying
	mapping *source.Mapping // of the input
	window  int             // how many lines are sent at once, after refusals
}

func (t *toLog) begin(in *logfile.Input) (err error) {
	if t.mapping, err = t.flags.mapping(in.Format(), in.Position().Columns); err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	return nil
}

func (t *toLog) events(record logfile.Record, each func([]byte)) (o outcome, err error) {
	data := record.Data
	if t.flags.positional {
		data = withID(data, record.ID)
	}
	data = inOneLine(data)
	var failed error
	err = t.mapping.Unwrap(data, func(part []byte) error {
		line := t.mapping.Map(part)
		switch line.Outcome {
		case source.Skipped:
			o.skipped++
		case source.Rejected:
			if line.Code == "id_missing" && t.flags.given == "" {
				failed = errNoID
				return nil
			}
			failed = fmt.Errorf("%s (%s)", line.Detail, line.Code)
		case source.Mapped:
			e, err := identified(line)
			if err != nil {
				failed = err
				return nil
			}
			each(e)
		}
		return nil
	})
	if err == nil {
		err = failed
	}
	return o, err
}

var errNoID = errors.New("it has no id, so it could count twice when it is sent again (id_missing): --id names what it is known by, " +
	"--id-from position takes its place in the file")

// identified is a mapped event with its identity in it.
func identified(line source.Line) ([]byte, error) {
	data := line.Event
	if line.Key != "" {
		data = withID(data, line.Key)
	}
	e, err := event.Parse(data)
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return nil, fmt.Errorf("%s (%s)", invalid.Detail, invalid.Code)
	}
	if err == nil && e.Key == "" {
		err = errNoID
	}
	return e.Data, err
}

// send sends the lines up to one that is refused, and goes on after that.
func (t *toLog) send(ctx context.Context, lines []sentLine, report func(int64, string)) (o outcome, err error) {
	for len(lines) > 0 {
		if t.window = min(max(t.window, 1), batchLines); t.window > len(lines) {
			t.window = len(lines)
		}
		part := lines[:t.window]
		var appended tally.AppendedBatch
		err := t.retry.do(ctx, func() (err error) {
			appended, err = t.client.AppendEvents(ctx, t.log, body(part), nil)
			return err
		})
		var problem *tally.Error
		switch {
		case err == nil:
			o.add(outcome{stored: int64(appended.Appended), duplicates: int64(len(part) - appended.Appended)})
			lines = lines[len(part):]
			t.window = 2*t.window + 1
		case errors.As(err, &problem) && problem.Line > 1 && problem.Line <= len(part):
			t.window = problem.Line - 1 // all that is before it, by itself
		case errors.As(err, &problem) && problem.Line == 1:
			report(part[0].line, fmt.Sprintf("%s (%s)", strings.TrimPrefix(problem.Detail, "line 1: "), problem.Code))
			o.rejected++
			lines = lines[1:]
			t.window /= 2
		case errors.As(err, &problem) && problem.Status == http.StatusRequestEntityTooLarge && len(part) > 1:
			t.window = len(part) / 2
		default:
			return o, fmt.Errorf("appending to %s: %w", t.log, err)
		}
	}
	t.window = batchLines
	return o, nil
}

// keeps is nowhere: what is to leave the machine is what the flags say of a record, and there is none.
func (t *toLog) keeps() string { return "" }

func (t *toLog) keep(context.Context, []unreadLine) error { return nil }

func body(lines []sentLine) []byte {
	var b bytes.Buffer
	for _, line := range lines {
		b.Write(line.data)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// withID returns an object with this id in front. An id of its own counts before it, since the last member of a name does.
func withID(object []byte, id string) []byte {
	object = bytes.Trim(object, " \t\r\n")
	b := make([]byte, 0, len(object)+len(id)+16)
	b = append(b, `{"id":`...)
	text, _ := json.Marshal(id) // a string
	b = append(b, text...)
	if rest := bytes.TrimLeft(object[1:], " \t\r\n"); rest[0] != '}' {
		b = append(b, ',')
	}
	return append(b, object[1:]...)
}

// inOneLine returns a copy of an object without line ends, which stand between its values only.
func inOneLine(object []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, object)
}

// retrying sends requests again that failed for now.
type retrying struct {
	forever bool
	most    time.Duration // for how long, otherwise
	notice  func(text string)
}

func (r *retrying) do(ctx context.Context, request func() error) error {
	delay, failed := firstSendRetry, time.Time{}
	for {
		err := request()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			if !failed.IsZero() {
				r.notice("going on")
			}
			return nil
		case !tally.IsTransient(err):
			return err
		}
		if failed.IsZero() {
			failed = time.Now()
			r.notice(oneLine(err.Error()) + "; trying again")
		}
		wait := delay
		if problem := (*tally.Error)(nil); errors.As(err, &problem) && problem.RetryAfter > wait {
			wait = problem.RetryAfter
		}
		if !r.forever && time.Since(failed)+wait > r.most {
			return fmt.Errorf("%w; it was tried for %s, see --retry-for", err, time.Since(failed).Round(time.Second))
		}
		delay = min(2*delay, lastSendRetry)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}
