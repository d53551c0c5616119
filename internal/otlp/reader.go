package otlp

import "google.golang.org/protobuf/encoding/protowire"

// reader gives the fields of one message that its schema names, one after another, in either encoding.
type reader struct {
	encoding Encoding
	schema   *schema
	rest     []byte  // what is still to be read
	array    []byte  // JSON: what is still to be read of the array that is the value of listed
	listed   *member // JSON: nil outside of an array
}

// field is one field that was read; its number is 0 after the last one.
type field struct {
	number protowire.Number
	// bytes are the value of texts, blobs and ids, and of messages their source, to be opened. They are part of the body, or were made for
	// this field alone.
	bytes []byte
	bits  uint64 // the value of all others
}

// openMessage reads raw, a message of that schema: in JSON an object that was checked. An absent one may be empty in both encodings.
func openMessage(e Encoding, s *schema, raw []byte) reader {
	if e == JSON && len(raw) > 0 {
		raw = raw[1:] // the brace
	}
	return reader{encoding: e, schema: s, rest: raw}
}

func (r *reader) next() (field, error) {
	if r.encoding == JSON {
		return r.nextJSON()
	}
	return r.nextProtobuf()
}

// nextProtobuf skips fields whose wire type is not theirs, as protobuf wants it: they are unknown fields.
func (r *reader) nextProtobuf() (field, error) {
	for len(r.rest) > 0 {
		number, wireType, n := protowire.ConsumeTag(r.rest)
		if n < 0 {
			return field{}, r.broken(n)
		}
		r.rest = r.rest[n:]
		var m *member
		if int(number) < len(r.schema.byNumber) {
			m = r.schema.byNumber[number]
		}
		if m == nil || m.kind.wireType() != wireType {
			if n = protowire.ConsumeFieldValue(number, wireType, r.rest); n < 0 {
				return field{}, r.broken(n)
			}
			r.rest = r.rest[n:]
			continue
		}
		f := field{number: number}
		switch wireType {
		case protowire.VarintType:
			f.bits, n = protowire.ConsumeVarint(r.rest)
		case protowire.Fixed64Type:
			f.bits, n = protowire.ConsumeFixed64(r.rest)
		default:
			f.bytes, n = protowire.ConsumeBytes(r.rest)
		}
		if n < 0 {
			return field{}, r.broken(n)
		}
		r.rest = r.rest[n:]
		return f, nil
	}
	return field{}, nil
}

func (r *reader) broken(code int) error {
	return invalid("broken protobuf in %s: %v", r.schema.name, protowire.ParseError(code))
}
