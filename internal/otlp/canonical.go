package otlp

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// attribute is a key and its value, still in its encoding.
type attribute struct{ key, value []byte }

// collector gathers attributes that are spread over their message, and writes them as objects. Objects within objects gather behind those
// around them.
type collector struct {
	encoding Encoding
	open     []attribute
}

// add gathers a KeyValue.
func (c *collector) add(raw []byte) error {
	if len(c.open) == maxMembers {
		return invalid("more than %d attributes in one record", maxMembers)
	}
	var a attribute
	r := openMessage(c.encoding, &keyValueMessage, raw)
	for r.next() {
		switch r.number {
		case keyValueKey:
			a.key = r.bytes
		case keyValueValue:
			a.value = r.bytes
		}
	}
	if !utf8.Valid(a.key) {
		a.key = bytes.ToValidUTF8(a.key, replacement) // before they are compared
	}
	c.open = append(c.open, a)
	return r.err
}

// object appends what was gathered from base on, and forgets it.
func (c *collector) object(dst []byte, base, depth int) ([]byte, error) {
	members := c.open[base:]
	slices.SortStableFunc(members, func(a, b attribute) int { return bytes.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, a := range members {
		if i+1 < len(members) && bytes.Equal(a.key, members[i+1].key) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, a.key), ':')
		var err error
		if dst, err = c.value(dst, a.value, depth); err != nil {
			return dst, err
		}
	}
	c.open = c.open[:base]
	return append(dst, '}'), nil
}

// value appends an AnyValue, nested in depth lists and maps.
func (c *collector) value(dst, raw []byte, depth int) ([]byte, error) {
	if len(dst) > MaxRecordBytes {
		return dst, tooLong()
	}
	v, err := c.last(raw)
	if err != nil {
		return dst, err
	}
	switch v.number {
	case valueString:
		return appendString(dst, v.bytes), nil
	case valueBool:
		return strconv.AppendBool(dst, v.bits != 0), nil
	case valueInt:
		return strconv.AppendInt(dst, int64(v.bits), 10), nil //nolint:gosec // the bits of a signed integer
	case valueDouble:
		return appendDouble(dst, math.Float64frombits(v.bits)), nil
	case valueArray:
		return c.list(dst, v.bytes, depth+1)
	case valueMap:
		return c.mapping(dst, v.bytes, depth+1)
	case valueBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.bytes)
		return append(dst, '"'), nil
	default:
		return append(dst, "null"...), nil
	}
}

// last is the field of an AnyValue that counts: it has one, or the last of several.
func (c *collector) last(raw []byte) (field, error) {
	r := openMessage(c.encoding, &valueMessage, raw)
	for r.next() {
		// The last one stays.
	}
	return r.field, r.err
}

func (c *collector) list(dst, raw []byte, depth int) ([]byte, error) {
	if depth > MaxNesting {
		return dst, tooDeep()
	}
	dst = append(dst, '[')
	r := openMessage(c.encoding, &arrayMessage, raw)
	for r.next() {
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = c.value(dst, r.bytes, depth); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), r.err
}

func (c *collector) mapping(dst, raw []byte, depth int) ([]byte, error) {
	if depth > MaxNesting {
		return dst, tooDeep()
	}
	base := len(c.open)
	r := openMessage(c.encoding, &mapMessage, raw)
	for r.next() {
		if err := c.add(r.bytes); err != nil {
			return dst, err
		}
	}
	if r.err != nil {
		return dst, r.err
	}
	return c.object(dst, base, depth)
}

func tooDeep() error { return invalid("values nested deeper than %d lists and maps", MaxNesting) }

func tooLong() error { return invalid("a record of more than %d bytes", MaxRecordBytes) }

// replacement is U+FFFD, which stands for bytes that are no UTF-8.
var replacement = []byte("\uFFFD")

// appendString quotes s with the escapes that RFC 8785 has, and no others.
func appendString(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, replacement)
	}
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		if len(dst) > MaxRecordBytes {
			break // escapes are longer than what they stand for, and this record will be refused
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// appendDouble writes v as RFC 8785 does: the shortest digits that name it, without an exponent from 1e-6 to 1e21.
func appendDouble(dst []byte, v float64) []byte {
	switch magnitude := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	case magnitude <= maxExact && v == math.Trunc(v):
		return strconv.AppendInt(dst, int64(v), 10)
	case 1e-6 <= magnitude && magnitude < 1e21:
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	// Two digits is the least that Go writes of an exponent.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
