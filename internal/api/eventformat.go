package api

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/event"
)

// formatPiece is how much of a page is written at once, and one event more.
const formatPiece = 64 << 10

// eventFormat is a form that events are answered in.
type eventFormat struct {
	name      string
	mediaType string
	// What a stream of events begins with, what is between two, and what it ends with.
	begin, between, end string
	event               func(b []byte, e *event.Recorded) []byte
}

var (
	formatJSON   = &eventFormat{"json", "application/json", "[\n", ",\n", "\n]\n", event.AppendJSON}
	formatNDJSON = &eventFormat{"ndjson", "application/x-ndjson", "", "\n", "\n", event.AppendLine}
	formatCSV    = &eventFormat{"csv", "text/csv", event.CSVHeader, "", "", event.AppendCSV}

	eventFormats = []*eventFormat{formatJSON, formatNDJSON, formatCSV}
)

// negotiate finds the format that a request asks for, by name or else by its Accept header. The error is a *Problem.
func negotiate(name, accept string) (eventFormat, error) {
	const known = "events are answered as json (application/json), ndjson (application/x-ndjson) or csv (text/csv)"
	if name != "" {
		for _, f := range eventFormats {
			if f.name == name {
				return *f, nil
			}
		}
		return eventFormat{}, newProblem("unsupported_format", "there is no format "+strconv.Quote(name)+": "+known)
	}
	if strings.TrimSpace(accept) == "" {
		return *formatJSON, nil
	}
	best, quality := formatJSON, 0.0
	for accepted := range strings.SplitSeq(accept, ",") {
		mediaRange, params, err := mime.ParseMediaType(accepted)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		for _, f := range eventFormats {
			if q > quality && accepts(mediaRange, f.mediaType) {
				best, quality = f, q
			}
		}
	}
	if quality == 0 {
		return eventFormat{}, newProblem("not_acceptable", "nothing that the Accept header asks for is served here: "+known)
	}
	return *best, nil
}

func accepts(mediaRange, mediaType string) bool {
	if main, ok := strings.CutSuffix(mediaRange, "/*"); ok {
		return main == "*" || strings.HasPrefix(mediaType, main+"/")
	}
	return mediaRange == mediaType || mediaRange == "application/ndjson" && mediaType == formatNDJSON.mediaType
}

func (f *eventFormat) setHeaders(h http.Header, head event.Head) {
	h.Set("Content-Type", f.mediaType)
	if f.name == formatCSV.name {
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(sequenceHeader, strconv.FormatInt(head.Sequence, 10))
}

// append appends events to a stream that has begun, or not.
func (f *eventFormat) append(b []byte, events []event.Recorded, begun bool) []byte {
	for i := range events {
		if begun || i > 0 {
			b = append(b, f.between...)
		}
		b = f.event(b, &events[i])
	}
	return b
}

// writePage writes a page's body. An NDJSON page without events is empty.
func (f *eventFormat) writePage(w io.Writer, events []event.Recorded, cursor string) error {
	switch {
	case f.name != formatJSON.name && len(events) == 0:
		return f.write(w, nil, f.begin, "")
	case f.name != formatJSON.name:
		return f.write(w, events, f.begin, f.end)
	case cursor != "":
		return f.write(w, events, `{"events":[`, `],"next_cursor":"`+cursor+"\"}\n")
	}
	return f.write(w, events, `{"events":[`, "]}\n")
}

// write writes events between a beginning and an end, some at a time, so that no more than that is in memory twice.
func (f *eventFormat) write(w io.Writer, events []event.Recorded, begin, end string) error {
	b := append(make([]byte, 0, formatPiece), begin...)
	for i := range events {
		b = f.append(b, events[i:i+1], i > 0)
		if len(b) < formatPiece {
			continue
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if b = b[:0]; cap(b) > 2*formatPiece {
			b = nil
		}
	}
	_, err := w.Write(append(b, end...))
	return err
}

func recordedSchema() *huma.Schema {
	text := func(format, doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: format, Description: doc}
	}
	return &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"sequence":    {Type: huma.TypeInteger, Format: "int64", Description: "Its place in the log."},
			"time":        text("date-time", "When it happened."),
			"recorded_at": text("date-time", "When it was recorded."),
			"type":        text("", "Absent when it has none."),
			"key":         text("", "Its idempotency key; absent when it has none."),
			"hash":        text("", "The hash of everything up to it, in hexadecimal."),
			"data":        {Type: huma.TypeObject, Description: "The object as it was sent.", AdditionalProperties: true},
			"raw": text("", "The bytes as they were sent, where data does not show them: in lines, those with line breaks; "+
				"white space around an object, which earlier versions kept."),
		},
		Required: []string{"sequence", "time", "recorded_at", "hash", "data"},
	}
}

func eventsResponse(api huma.API) *huma.Response {
	page := &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"events": {
				Type: huma.TypeArray, Items: named(api, "Event", recordedSchema()), Description: "In the order of their sequences.",
			},
			"next_cursor": {Type: huma.TypeString, Description: "Give it as cursor for the next page; absent at the end of the range."},
		},
		Required: []string{"events"},
	}
	return &huma.Response{
		Description: "A page of events.",
		Headers: map[string]*huma.Header{
			sequenceHeader: {
				Description: "The log's head, which the answer reflects.", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"},
			},
		},
		Content: map[string]*huma.MediaType{
			formatJSON.mediaType: {
				Schema: named(api, "EventPage", page),
			},
		},
	}
}
