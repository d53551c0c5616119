package otlp

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"
)

// exporter writes the records of one request.
type exporter struct {
	collector
	book     Booked // nil where nobody has to be asked
	booked   int64
	each     func([]byte) error
	expanded int // bytes given to each so far

	resource, scope []byte // members of each record, with the comma before them; empty if there is nothing to say
	record          []byte // the record that is written
}

// reserve books what writing a part of a record may take: its buffer grows by doubling, and the old one is there while it is copied. What
// was booked once stays so, as the buffers do.
func (x *exporter) reserve(raw []byte) error {
	if x.book == nil {
		return nil
	}
	written := min(longest(raw)+int64(len(x.resource)+len(x.scope)), MaxRecordBytes+int64(len(raw)))
	need := 2*written + int64(cap(x.resource)+cap(x.scope))
	if need <= x.booked {
		return nil
	}
	x.booked = need
	return x.book(need)
}

// longest bounds how much is written of what was sent: names, quotes and base64 at most double it, a control character becomes six bytes
// and an attribute of nothing, which has one in its length, eight; what is no UTF-8 becomes three.
func longest(raw []byte) int64 {
	low, high := 0, 0
	for _, c := range raw {
		if c < ' ' {
			low++
		} else if c >= utf8.RuneSelf {
			high++
		}
	}
	return int64(2*len(raw) + 2*high + 7*low)
}

func export(body []byte, e Encoding, request *schema, book Booked, each func([]byte) error) error {
	if e == JSON {
		if err := checkJSON(body); err != nil {
			return err
		}
		if body = space(body); request.isOther(body) {
			return notOne(request)
		}
	}
	x := &exporter{collector: collector{encoding: e}, book: book, each: each}
	group, scopes, write := &resourceLogs, &scopeLogs, x.logRecord
	if request == &tracesRequest {
		group, scopes, write = &resourceSpans, &scopeSpans, x.span
	}
	groups := 0
	err := x.all(request, body, requestGroups, func(raw []byte) error {
		groups++
		return x.group(group, scopes, raw, write)
	})
	if err == nil && groups == 0 && e == Protobuf && len(body) > 0 {
		return notOne(request)
	}
	return err
}

// notOne refuses what has nothing that a request holds: taken as a request of a later version it would be dropped without a word.
func notOne(request *schema) error {
	what := "resourceLogs"
	if request == &tracesRequest {
		what = "resourceSpans"
	}
	return invalid("an %s has %s, and this has none", request.name, what)
}

// group gives the records of one resource.
func (x *exporter) group(group, scopes *schema, raw []byte, write func(raw []byte) error) error {
	if err := x.readResource(group, raw); err != nil {
		return err
	}
	return x.all(group, raw, groupScopes, func(raw []byte) error {
		if err := x.readScope(scopes, raw); err != nil {
			return err
		}
		return x.all(scopes, raw, scopesRecords, func(raw []byte) error {
			if err := x.reserve(raw); err != nil {
				return err
			}
			if err := write(raw); err != nil {
				return err
			}
			return x.give()
		})
	})
}

// all calls visit for every field of that number.
func (x *exporter) all(s *schema, raw []byte, number int, visit func(raw []byte) error) error {
	r := openMessage(x.encoding, s, raw)
	for r.next() {
		if r.number != number {
			continue
		}
		if err := visit(r.bytes); err != nil {
			return err
		}
	}
	return r.err
}

// give gives the record that was written.
func (x *exporter) give() error {
	if len(x.record) > MaxRecordBytes {
		return tooLong()
	}
	if x.expanded += len(x.record); x.expanded > MaxExpandedBytes {
		return invalid("records of more than %d bytes, each with its resource and scope: send fewer at a time", MaxExpandedBytes)
	}
	return x.each(x.record)
}

// readResource reads the resource of a group. It may come after the records that it is of.
func (x *exporter) readResource(group *schema, raw []byte) error {
	x.resource = x.resource[:0]
	var resource []byte
	err := x.all(group, raw, groupResource, func(raw []byte) error { resource = raw; return nil })
	if err != nil {
		return err
	}
	if err := x.reserve(resource); err != nil {
		return err
	}
	if err := x.all(&resourceMessage, resource, resourceAttributes, x.add); err != nil || len(x.open) == 0 {
		return err
	}
	x.resource, err = x.object(append(x.resource, `,"resource":`...), 0, 0)
	return err
}

func (x *exporter) readScope(scopes *schema, raw []byte) error {
	x.scope = x.scope[:0]
	var scope, name, version []byte
	err := x.all(scopes, raw, scopesScope, func(raw []byte) error { scope = raw; return nil })
	if err != nil {
		return err
	}
	if err := x.reserve(scope); err != nil {
		return err
	}
	r := openMessage(x.encoding, &scopeMessage, scope)
	for r.next() {
		switch r.number {
		case scopeName:
			name = r.bytes
		case scopeVersion:
			version = r.bytes
		case scopeAttributes:
			if err := x.add(r.bytes); err != nil {
				return err
			}
		}
	}
	if r.err != nil {
		return r.err
	}
	dst := appendName(x.scope, "scope")
	at := len(dst)
	if dst, err = x.attributes(dst); err != nil {
		return err
	}
	dst = appendText(dst, "name", name)
	dst = appendText(dst, "version", version)
	if len(dst) > at {
		x.scope = closeObject(dst, at)
	}
	return nil
}

// attributes appends those that were gathered, if any.
func (x *exporter) attributes(dst []byte) ([]byte, error) {
	if len(x.open) == 0 {
		return dst, nil
	}
	return x.object(append(dst, `,"attributes":`...), 0, 0)
}

// What follows appends a member with the comma before it, or nothing if it is not set.

func appendText(dst []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return appendString(appendName(dst, name), value)
}

func appendNumber(dst []byte, name string, value uint64) []byte {
	if value == 0 {
		return dst
	}
	return appendCount(dst, name, value)
}

// appendCount also writes 0.
func appendCount(dst []byte, name string, value uint64) []byte {
	return strconv.AppendUint(appendName(dst, name), value, 10)
}

// appendEnum writes the number of an enum: 32 bits with a sign, of which protobuf makes 64.
func appendEnum(dst []byte, name string, value uint64) []byte {
	if int32(value) == 0 { //nolint:gosec // the rest is no part of it
		return dst
	}
	return strconv.AppendInt(appendName(dst, name), int64(int32(value)), 10) //nolint:gosec // as above
}

const (
	traceIDBytes = 16
	spanIDBytes  = 8
)

func appendID(dst []byte, name string, id []byte, size int) []byte {
	if len(id) != size || isZero(id) {
		return dst
	}
	return append(hex.AppendEncode(append(appendName(dst, name), '"'), id), '"')
}

func isZero(id []byte) bool {
	for _, c := range id {
		if c != 0 {
			return false
		}
	}
	return true
}

func appendName(dst []byte, name string) []byte {
	return append(append(append(dst, `,"`...), name...), `":`...)
}

// closeObject makes an object of the members from at on, the first of which has a comma before it.
func closeObject(dst []byte, at int) []byte {
	if len(dst) == at {
		return append(dst, "{}"...)
	}
	dst[at] = '{'
	return append(dst, '}')
}
