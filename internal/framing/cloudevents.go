package framing

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Form is how a request carries CloudEvents, if it does.
type Form int

const (
	None       Form = iota
	Structured      // one event as one JSON object
	Batch           // an array of such objects
	Binary          // the event's data is the body, and what else it has is in headers
)

// TypeError: a Content-Type that is not taken.
type TypeError struct {
	Type string // as sent
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("the Content-Type is %.100q; send JSON: one value, lines, or an array", e.Type)
}

// HeaderError: a header of a CloudEvent that is not acceptable.
type HeaderError struct {
	Name, Reason string
}

func (e *HeaderError) Error() string { return fmt.Sprintf("the header %.100s %s", e.Name, e.Reason) }

const ceHeader = "Ce-" // as net/http writes its first letters

// Kind returns the form of CloudEvents that a request has.
func Kind(contentType string, header http.Header) Form {
	switch MediaType(contentType) {
	case "application/cloudevents+json":
		return Structured
	case "application/cloudevents-batch+json":
		return Batch
	}
	for _, name := range []string{"Ce-Specversion", "Ce-Id", "Ce-Type"} {
		if _, ok := header[name]; ok {
			return Binary
		}
	}
	return None
}

// refusedTypes are those of bodies that cannot be read as JSON, whatever they hold.
var refusedTypes = []string{
	"application/msgpack", "application/x-msgpack", "application/vnd.msgpack", "application/cbor",
	"application/cloudevents+xml", "application/cloudevents+avro", "application/cloudevents+protobuf",
}

// CheckType refuses what is certainly no JSON: forms of several parts, MessagePack, and CloudEvents in other formats than JSON. Any other
// Content-Type is accepted, since programs name whatever they send in many ways. The error is a *TypeError.
func CheckType(contentType string) error {
	media := MediaType(contentType)
	if strings.HasPrefix(media, "multipart/") || slices.Contains(refusedTypes, media) {
		return &TypeError{Type: contentType}
	}
	return nil
}

// MediaType is a Content-Type without its parameters.
func MediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// BinaryEvent makes one JSON object of a CloudEvent in binary form, as the structured form has it: the attributes of the ce- headers,
// datacontenttype from the Content-Type, and the body. A body is JSON in data where its type is JSON, or not given, and it is valid; else
// it is text in data, or data_base64 where it is no UTF-8. No body is no data. Names are sorted. The error is a *HeaderError.
func BinaryEvent(header http.Header, body []byte) ([]byte, error) {
	members := map[string][]byte{}
	for name, values := range header {
		if !strings.HasPrefix(name, ceHeader) {
			continue
		}
		attribute := strings.ToLower(name[len(ceHeader):])
		switch {
		case attribute == "" || attribute == "data" || attribute == "data_base64":
			return nil, &HeaderError{Name: name, Reason: "names no attribute of an event"}
		case len(values) != 1:
			return nil, &HeaderError{Name: name, Reason: "was sent more than once"}
		}
		value := percentDecoded(unquoted(strings.Trim(values[0], " \t")))
		if !utf8.ValidString(value) {
			return nil, &HeaderError{Name: name, Reason: "is not UTF-8 once its percent signs are decoded"}
		}
		members[attribute] = jsonString(value)
	}
	contentType := header.Get("Content-Type")
	if !utf8.ValidString(contentType) {
		return nil, &HeaderError{Name: "Content-Type", Reason: "is not UTF-8"}
	} else if contentType != "" {
		members["datacontenttype"] = jsonString(contentType)
	}
	switch {
	case len(body) == 0:
	case mayBeJSON(contentType) && jsonscan.Valid(body) == nil:
		members["data"] = bytes.Trim(body, " \t\r\n")
	case utf8.Valid(body):
		members["data"] = jsonString(string(body))
	default:
		members["data_base64"] = jsonString(base64.StdEncoding.EncodeToString(body))
	}
	object := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(append(object, jsonString(name)...), ':')
		object = append(object, members[name]...)
	}
	return append(object, '}'), nil
}

// mayBeJSON reports whether a body of that type is JSON if it can be read as such.
func mayBeJSON(contentType string) bool {
	media := MediaType(contentType)
	return media == "" || strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

// jsonString is a JSON string for text that is UTF-8.
func jsonString(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // to memory, and a string has a JSON form
	return bytes.TrimRight(b.Bytes(), "\n")
}

// unquoted is a header's value without the quotes and backslashes that RFC 9110, section 5.6.4, allows.
func unquoted(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	var b strings.Builder
	for value = value[1 : len(value)-1]; value != ""; value = value[1:] {
		if value[0] == '\\' && len(value) > 1 {
			value = value[1:]
		}
		b.WriteByte(value[0])
	}
	return b.String()
}

// percentDecoded decodes %HH, once. A percent sign before anything else stands for itself.
func percentDecoded(value string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(value, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if value = after; len(after) >= 2 {
			if decoded, err := hex.DecodeString(after[:2]); err == nil {
				b.Write(decoded)
				value = after[2:]
				continue
			}
		}
		b.WriteByte('%')
	}
}
