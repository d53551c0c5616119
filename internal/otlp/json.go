package otlp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

// nextJSON skips members that are unknown, or null.
func (r *reader) nextJSON() bool {
	for {
		if r.listed != nil {
			if r.array = space(r.array); r.array[0] == ']' {
				r.listed = nil
				continue
			}
			r.number = r.listed.number
			r.bytes, r.array = split(r.array)
			return r.bytes[0] == '{' || r.wrongJSON(r.listed, "an array of objects", r.bytes)
		}
		if r.rest = space(r.rest); len(r.rest) == 0 || r.rest[0] == '}' {
			return false
		}
		var name, value []byte
		name, r.rest = split(r.rest)
		value, r.rest = split(r.rest)
		m := r.schema.member(name)
		switch {
		case m == nil || value[0] == 'n':
		case m.kind == repeatedKind && value[0] == '[':
			r.listed, r.array = m, value[1:]
		default:
			return r.convert(m, value)
		}
	}
}

func (s *schema) member(quoted []byte) *member {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return s.byName[string(quoted[1:len(quoted)-1])]
	}
	return s.byName[string(unquote(quoted))]
}

// convert makes the field of a value's source.
func (r *reader) convert(m *member, value []byte) bool {
	r.number = m.number
	scalar := value // of numbers and enums, which may be strings
	isString := value[0] == '"'
	if isString {
		scalar = unquote(value)
	}
	ok, want := false, ""
	switch m.kind {
	case textKind:
		r.bytes, ok, want = scalar, isString, "a string"
	case blobKind:
		var err error
		r.bytes, err = jsonscan.Base64(scalar)
		ok, want = err == nil && isString, "a string in base64"
	case idKind:
		r.bytes, ok, want = fromHex(scalar), isString, "a string"
	case timeKind:
		var err error
		r.bits, err = strconv.ParseUint(string(scalar), 10, 64)
		ok, want = err == nil, "an integer from 0 to 2^64-1, as a number or a string"
	case integerKind:
		r.bits, ok = integer(scalar)
		want = "an integer from -2^63 to 2^63-1, as a number or a string"
	case doubleKind:
		r.bits, ok = number(scalar)
		want = `a number, "NaN", "Infinity" or "-Infinity"`
	case booleanKind:
		ok, want = value[0] == 't' || value[0] == 'f', "true or false"
		if value[0] == 't' {
			r.bits = 1
		}
	case enumKind:
		r.bits, ok = m.value(scalar)
		want = "the number of one of its values"
	case nestedKind:
		r.bytes, ok, want = value, value[0] == '{', "an object"
	case repeatedKind:
		want = "an array of objects"
	}
	return ok || r.wrongJSON(m, want, value)
}

func (r *reader) wrongJSON(m *member, want string, value []byte) bool {
	r.err = wrongValue(r.schema, m, want, value)
	return false
}

// wrongValue shows the beginning of the value, since it is the sender who needs to know.
func wrongValue(s *schema, m *member, want string, value []byte) error {
	const most = 40
	shown := value[:min(len(value), most)]
	if len(value) > most {
		shown = append(bytes.Clone(shown), "…"...)
	}
	return invalid("%s of %s must be %s, and is %s", m.name, s.name, want, bytes.ToValidUTF8(shown, nil))
}

func (m *member) value(scalar []byte) (uint64, bool) {
	for i, name := range m.names {
		if name == string(scalar) {
			return uint64(i), true
		}
	}
	bits, ok := integer(scalar)
	v := int64(bits) //nolint:gosec // the bits of a signed integer
	return bits, ok && math.MinInt32 <= v && v <= math.MaxInt32
}

// integer also reads 1e3 and 10.0, which JSON does not tell from 1000 and 10, as far as a double is exact.
func integer(scalar []byte) (uint64, bool) {
	if v, err := strconv.ParseInt(string(scalar), 10, 64); err == nil {
		return uint64(v), true //nolint:gosec // the bits of a signed integer
	}
	bits, ok := number(scalar)
	v := math.Float64frombits(bits)
	if !ok || v != math.Trunc(v) || math.Abs(v) > maxExact {
		return 0, false
	}
	return uint64(int64(v)), true //nolint:gosec // the bits of a signed integer
}

// maxExact is up to where every integer is a double.
const maxExact = 1 << 53

// number reads what JSON and the mapping of protobuf to it call a number.
func number(scalar []byte) (uint64, bool) {
	switch string(scalar) {
	case "NaN":
		return math.Float64bits(math.NaN()), true
	case "Infinity":
		return math.Float64bits(math.Inf(1)), true
	case "-Infinity":
		return math.Float64bits(math.Inf(-1)), true
	}
	if jsonscan.Valid(scalar) != nil || scalar[0] != '-' && (scalar[0] < '0' || scalar[0] > '9') {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(scalar), 64)
	return math.Float64bits(v), err == nil
}

// fromHex returns nothing of what is no hexadecimal: an id that is none counts as not set.
func fromHex(source []byte) []byte {
	id := make([]byte, hex.DecodedLen(len(source)))
	if _, err := hex.Decode(id, source); err != nil {
		return nil
	}
	return id
}

// unquote returns the value of a checked string. A surrogate without its partner becomes U+FFFD.
func unquote(quoted []byte) []byte {
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return nil // not of a checked string
	}
	return []byte(s)
}

// space returns data from its first byte that is no white space and does no more than separate values.
func space(data []byte) []byte {
	for i, c := range data {
		switch c {
		case ' ', '\t', '\n', '\r', ',', ':':
		default:
			return data[i:]
		}
	}
	return nil
}

// split returns the first value of checked JSON, and what follows it.
func split(data []byte) (value, rest []byte) {
	data = space(data)
	end := 0
	switch data[0] {
	case '"':
		end = stringEnd(data, 0)
	case '{', '[':
		depth := 0
		for ; ; end++ {
			switch data[end] {
			case '"':
				end = stringEnd(data, end) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if depth == 0 {
				break
			}
		}
		end++
	default:
		for end < len(data) && !endsScalar(data[end]) {
			end++
		}
	}
	return data[:end:end], data[end:]
}

func endsScalar(c byte) bool {
	switch c {
	case ',', ']', '}', ' ', '\t', '\n', '\r':
		return true
	default:
		return false
	}
}

// stringEnd returns the offset after the string that starts at i.
func stringEnd(data []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(data[i:], '"')
		escapes := 0
		for data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}
