package logfile

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// accessSyntax is the access log of a web server in the common or the combined form, or one of these with a virtual host in front or more
// fields at the end. A record has the members client, time, status and bytes, and of the others those that the line has:
// host, ident, user, method, path, query, protocol (or request, where that is none of HTTP), referer, user_agent, extra.
type accessSyntax struct{}

func (accessSyntax) end(data []byte, scanned int) int { return plainLine(data, scanned) }

var (
	errNoAccessLine = errors.New(`it is no line of an access log, such as ` +
		`192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8.0"`)
	errNoAccessTime = errors.New("its time is none")
)

// accessLine finds the parts of a line up to its size. No client can forge the time: servers write a quote in a user's name as \" or \x22.
var accessLine = regexp.MustCompile(`^(?:([^ ":]+:\d+) )?([^ "]+) ([^ "]+) (.*?) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] ` +
	`"((?:[^"\\]|\\.)*)" (\d{3}|-) (\d{1,18}|-)(?: (.*))?$`)

const clfTime = "02/Jan/2006:15:04:05 -0700"

func (accessSyntax) object(b, record []byte) ([]byte, error) {
	at := accessLine.FindSubmatchIndex(record)
	if at == nil {
		return nil, errNoAccessLine
	}
	part := func(i int) []byte {
		if at[2*i] < 0 {
			return nil
		}
		return record[at[2*i]:at[2*i+1]]
	}
	happened, err := time.Parse(clfTime, string(part(5)))
	if err != nil {
		return nil, errNoAccessTime
	}
	o := object{append(b, '{')}
	o.logged("client", part(2))
	o.member("time", happened.UTC().AppendFormat(nil, time.RFC3339))
	if status := part(7); status[0] != '-' {
		n, _ := strconv.Atoi(string(status)) // three digits; a number in JSON has no leading zero
		o.number("status", strconv.AppendInt(nil, int64(n), 10))
	}
	size, _ := strconv.ParseInt(string(part(8)), 10, 64) // up to 18 digits, or - for none
	o.number("bytes", strconv.AppendInt(nil, size, 10))
	o.logged("host", part(1))
	o.logged("ident", part(3))
	o.logged("user", part(4))
	o.request(part(6))
	rest := accessFields(part(9))
	for i, name := range []string{"referer", "user_agent"} {
		if i < len(rest) {
			o.logged(name, rest[i])
		}
	}
	if len(rest) > 2 {
		o.list("extra", rest[2:])
	}
	return append(o.b, '}'), nil
}

// accessFields splits what follows the size: quoted fields, and bare ones. The last quote may be missing, where a line was cut off.
func accessFields(text []byte) (fields [][]byte) {
	for len(text) > 0 {
		if text[0] == ' ' {
			text = text[1:]
			continue
		}
		end := ' '
		if text[0] == '"' {
			text, end = text[1:], '"'
		}
		i := 0
		for i < len(text) && rune(text[i]) != end {
			if text[i] == '\\' && end == '"' {
				i++
			}
			i++
		}
		i = min(i, len(text))
		fields = append(fields, text[:i])
		text = text[min(i+1, len(text)):]
	}
	return fields
}

// object is a JSON object that is being written.
type object struct{ b []byte }

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, `":`...)
}

func (o *object) number(name string, value []byte) {
	o.name(name)
	o.b = append(o.b, value...)
}

func (o *object) member(name string, value []byte) {
	o.name(name)
	o.b = appendString(o.b, value)
}

// logged adds a field as the server wrote it, unless it is missing: - or nothing.
func (o *object) logged(name string, field []byte) {
	if len(field) > 0 && !bytes.Equal(field, dash) {
		o.member(name, unescape(field))
	}
}

var dash = []byte("-")

func (o *object) list(name string, fields [][]byte) {
	o.name(name)
	o.b = append(o.b, '[')
	for i, field := range fields {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, unescape(field))
	}
	o.b = append(o.b, ']')
}

// request splits the first line of a request. Its path may hold spaces, whatever the standard says.
func (o *object) request(line []byte) {
	method, target, _ := bytes.Cut(line, []byte{' '})
	i := bytes.LastIndex(target, []byte(" HTTP/"))
	if i < 0 || !isToken(method) {
		o.logged("request", line)
		return
	}
	path, query, _ := bytes.Cut(target[:i], []byte{'?'})
	o.member("method", method)
	o.logged("path", path)
	o.logged("query", query)
	o.member("protocol", unescape(target[i+1:]))
}

func isToken(method []byte) bool {
	for _, c := range method {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(method) > 0
}

// unescape resolves the escapes of web servers: \" \\ \n \t … and \xhh. Where that gives no text, but bytes of another encoding or a zero,
// the field stays as it was logged, and what is no UTF-8 in it becomes \xhh too.
func unescape(field []byte) []byte {
	plain := bytes.IndexByte(field, '\\') < 0
	if plain && utf8.Valid(field) && bytes.IndexByte(field, 0) < 0 {
		return field
	}
	if !plain {
		if text, ok := resolve(field); ok {
			return text
		}
	}
	const digits = "0123456789abcdef"
	var b []byte
	for len(field) > 0 {
		r, size := utf8.DecodeRune(field)
		if r == utf8.RuneError && size == 1 || r == 0 {
			b = append(b, '\\', 'x', digits[field[0]>>4], digits[field[0]&15])
		} else {
			b = append(b, field[:size]...)
		}
		field = field[size:]
	}
	return b
}

// escaped are the characters that follow a backslash, and what they stand for.
var escaped = map[byte]byte{'"': '"', '\\': '\\', 'b': '\b', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', 'f': '\f'}

func resolve(field []byte) ([]byte, bool) {
	b := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' || i+1 == len(field) {
			b = append(b, field[i])
			continue
		}
		i++
		if c, ok := escaped[field[i]]; ok {
			b = append(b, c)
			continue
		}
		if field[i] == 'x' && i+2 < len(field) {
			if n, err := strconv.ParseUint(string(field[i+1:i+3]), 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, '\\', field[i])
	}
	return b, utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// appendString appends UTF-8 as a JSON string.
func appendString(b, text []byte) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
