package event

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendJSON appends an event as a JSON object: its position in the log, and the bytes that were sent, unchanged, as data. They may hold
// line breaks. If there is white space around them, which earlier versions kept and a JSON reader would drop, raw is a string of the bytes.
func AppendJSON(b []byte, e *Recorded) []byte {
	b = append(appendHead(b, e), e.Data...)
	if hasOuterSpace(e.Data) {
		b = appendRaw(b, e)
	}
	return append(b, '}')
}

// AppendLine appends an event as a JSON object on one line, without a line break at its end. If the bytes that were sent hold line breaks,
// data is the same JSON without white space, and raw is a string of the bytes.
func AppendLine(b []byte, e *Recorded) []byte {
	if !hasLineBreak(e.Data) {
		return AppendJSON(b, e)
	}
	b = appendHead(b, e)
	compact := bytes.NewBuffer(b)
	if err := json.Compact(compact, e.Data); err != nil { // a changed row, which must be readable all the same
		compact.Truncate(len(b))
		compact.WriteString("null")
	}
	return append(appendRaw(compact.Bytes(), e), '}')
}

// hasLineBreak reports whether an event's bytes do not fit into a line.
func hasLineBreak(data []byte) bool {
	return bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0
}

func hasOuterSpace(data []byte) bool {
	return len(data) == 0 || data[0] <= ' ' || data[len(data)-1] <= ' '
}

func appendRaw(b []byte, e *Recorded) []byte {
	return appendString(append(b, `,"raw":`...), string(e.Data))
}

func appendHead(b []byte, e *Recorded) []byte {
	b = append(b, `{"sequence":`...)
	b = strconv.AppendInt(b, e.Sequence, 10)
	b = append(b, `,"time":"`...)
	b = appendTime(b, e.Time)
	b = append(b, `","recorded_at":"`...)
	b = appendTime(b, e.RecordedAt)
	b = append(b, '"')
	if e.Type != "" {
		b = append(b, `,"type":`...)
		b = appendString(b, e.Type)
	}
	if e.Key != "" {
		b = append(b, `,"key":`...)
		b = appendString(b, e.Key)
	}
	b = append(b, `,"hash":"`...)
	b = hex.AppendEncode(b, e.Hash[:])
	return append(b, `","data":`...)
}

// appendString appends a JSON string that stands for exactly these bytes, which are UTF-8.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
			continue
		case c >= ' ' && c != '"' && c != '\\' && c != 0x7f:
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// CSVHeader names the columns of AppendCSV.
const CSVHeader = "sequence,time,recorded_at,type,key,hash,data\r\n"

// AppendCSV appends an event as a line of CSV (RFC 4180), with its line break. A field that a spreadsheet would take for a formula is
// preceded by an apostrophe, which marks text in spreadsheets.
func AppendCSV(b []byte, e *Recorded) []byte { return appendCSV(b, e, AppendField) }

// AppendRawCSV is AppendCSV for programs: fields are unchanged.
func AppendRawCSV(b []byte, e *Recorded) []byte { return appendCSV(b, e, appendField) }

func appendCSV(b []byte, e *Recorded, field func(b, text []byte) []byte) []byte {
	b = strconv.AppendInt(b, e.Sequence, 10)
	b = append(b, ',')
	b = appendTime(b, e.Time)
	b = append(b, ',')
	b = appendTime(b, e.RecordedAt)
	b = append(b, ',')
	b = field(b, []byte(e.Type))
	b = append(b, ',')
	b = field(b, []byte(e.Key))
	b = append(b, ',')
	b = hex.AppendEncode(b, e.Hash[:])
	b = append(b, ',')
	b = field(b, e.Data)
	return append(b, '\r', '\n')
}

// AppendField appends a field of CSV, by RFC 4180, that a spreadsheet shows and does not evaluate.
func AppendField(b, text []byte) []byte {
	if len(text) > 0 && strings.IndexByte("=+-@\t\r", text[0]) >= 0 && !plainNumber.Match(text) {
		text = append([]byte{'\''}, text...)
	}
	return appendField(b, text)
}

// plainNumber is a number as JSON has it: a negative one is no formula.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func appendField(b, text []byte) []byte {
	if !bytes.ContainsAny(text, "\",\r\n") {
		return append(b, text...)
	}
	b = append(b, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			break
		}
		b = append(b, text[:i+1]...)
		b = append(b, '"')
		text = text[i+1:]
	}
	b = append(b, text...)
	return append(b, '"')
}

// appendTime appends a time as RFC 3339 has it, in UTC, to the microsecond and without trailing zeros. It is written out because time's own
// formatting took a fifth of a long stream's work.
func appendTime(b []byte, micros int64) []byte {
	t := time.UnixMicro(micros).UTC()
	year, month, day := t.Date()
	if year < 0 || year > maxYear { // a changed row: no event has such a time
		return t.AppendFormat(b, "2006-01-02T15:04:05.999999Z")
	}
	hour, minute, second := t.Clock()
	b = append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-')
	b = append(appendPair(b, int(month)), '-')
	b = append(appendPair(b, day), 'T')
	b = append(appendPair(b, hour), ':')
	b = append(appendPair(b, minute), ':')
	b = appendPair(b, second)
	if fraction := t.Nanosecond() / 1000; fraction > 0 {
		b = append(b, '.')
		b = appendPair(b, fraction/10_000)
		b = appendPair(b, fraction/100%100)
		b = appendPair(b, fraction%100)
		b = bytes.TrimRight(b, "0")
	}
	return append(b, 'Z')
}

func appendPair(b []byte, n int) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10)) //nolint:gosec // two digits
}
