package otlp

import "google.golang.org/protobuf/encoding/protowire"

// reader reads one message, in either encoding. After each next that returns true it has the next field that the schema knows:
//
//	for r.next() {
//		switch r.number {
//		case …: use r.bytes or r.bits
//		}
//	}
//	if r.err != nil …
type reader struct {
	schema   *schema
	encoding Encoding
	field
	err    error
	rest   []byte  // what is still to be read
	array  []byte  // JSON: what is still to be read of the array that is the value of listed
	listed *member // JSON: nil outside of an array
}

type field struct {
	number int
	bits   uint64 // the value of numbers, booleans and enums
	// bytes are the value of texts, blobs and ids, and of messages their source, to be opened. They are part of the body, or were made
	// for this field alone.
	bytes []byte
}

// openMessage reads raw, a message of that schema: in JSON an object that was checked. An absent one may be empty in both encodings.
func openMessage(e Encoding, s *schema, raw []byte) reader {
	if e == JSON && len(raw) > 0 {
		raw = raw[1:] // the brace
	}
	return reader{encoding: e, schema: s, rest: raw}
}

func (r *reader) next() bool {
	if r.encoding == JSON {
		return r.nextJSON()
	}
	return r.nextProtobuf()
}

// nextProtobuf skips fields whose wire type is not theirs, as protobuf wants it: they are unknown fields.
func (r *reader) nextProtobuf() bool {
	for len(r.rest) > 0 {
		number, wireType, n := protowire.ConsumeTag(r.rest)
		if n < 0 {
			return r.broken(n)
		}
		r.rest = r.rest[n:]
		known := int(number) < len(r.schema.wireTypes) && r.schema.wireTypes[number] == wireType
		switch {
		case !known:
			n = protowire.ConsumeFieldValue(number, wireType, r.rest)
		case wireType == protowire.VarintType:
			r.bits, n = protowire.ConsumeVarint(r.rest)
		case wireType == protowire.Fixed64Type:
			r.bits, n = protowire.ConsumeFixed64(r.rest)
		default:
			r.bytes, n = protowire.ConsumeBytes(r.rest)
		}
		if n < 0 {
			return r.broken(n)
		}
		r.rest = r.rest[n:]
		if known {
			r.number = int(number)
			return true
		}
	}
	return false
}

func (r *reader) broken(code int) bool {
	r.err = brokenProtobuf(r.schema, code)
	return false
}
