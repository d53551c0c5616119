package otlp

import (
	"encoding/hex"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/framing"
)

// exporter writes the records of one request.
type exporter struct {
	collector
	shape
	in       stream
	found    *heads                  // what was found in a first pass, in the second; else nil
	room     shares                  // of Room.Body
	book     func(bytes int64) error // of Room.Record
	booked   int64
	write    func(raw []byte) error // of x.record
	each     func([]byte) error
	expanded int // bytes given to each so far

	resource, scope []byte // members of each record, with the comma before them; empty if there is nothing to say
	record          []byte // the record that is written
}

// shape is what the messages of a signal are.
type shape struct{ request, resources, scopes *schema }

var (
	logsShape   = shape{&logsRequest, &resourceLogs, &scopeLogs}
	tracesShape = shape{&tracesRequest, &resourceSpans, &scopeSpans}
)

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

// orderBytes bounds the groups of records that are held. A longer one is read as it comes where it begins with its resource, or its scope,
// and else twice.
const orderBytes = 32 << 10

func export(body io.Reader, e Encoding, s shape, room Room, each func([]byte) error) error {
	x := &exporter{collector: collector{encoding: e}, shape: s, room: shares{book: room.Body}, book: room.Record, each: each}
	x.in = newStream(e, framing.NewWindow(body, MaxRecordBytes, x.room.share()))
	x.write = x.logRecord
	if s == tracesShape {
		x.write = x.span
	}
	if err := x.in.enter(); err != nil {
		return err
	}
	for {
		number, err := x.in.next(x.request)
		if err == nil && number == 0 {
			break
		}
		if err == nil {
			err = x.next(x.resources, x.group, x.readResource, x.part)
		}
		if err != nil {
			return err
		}
	}
	other, err := x.in.end()
	if err == nil && other {
		err = notOne(x.request)
	}
	return err
}

// next reads the message that is next, of a head and of items: as it comes where it is long.
func (x *exporter) next(s *schema, short, head func(raw []byte) error, item func() error) error {
	raw, whole, err := x.in.value(orderBytes)
	if err != nil {
		return err
	}
	if whole {
		return short(raw)
	}
	inOrder, err := x.in.inOrder(s)
	switch {
	case err != nil:
		return err
	case inOrder:
		return x.items(s, head, item)
	case x.found != nil:
		if err := head(x.found.items[0]); err != nil {
			return err
		}
		x.found.items = x.found.items[1:]
		return x.items(s, nil, item)
	default:
		return x.twice(s, head, item)
	}
}

// message returns the message that is next, however long it is.
func (x *exporter) message() ([]byte, error) {
	raw, whole, err := x.in.value(MaxRecordBytes)
	if err == nil && !whole {
		err = tooLong()
	}
	return raw, err
}

// part gives the records of a part of a group: those of one scope.
func (x *exporter) part() error { return x.next(x.scopes, x.scopeGroup, x.readScope, x.single) }

// single gives one record.
func (x *exporter) single() error {
	raw, err := x.message()
	if err != nil {
		return err
	}
	return x.give(raw)
}

func twoHeads(s *schema) error { return invalid("a %s has more than one %s", s.name, s.head) }

// notOne refuses what has nothing that a request holds: taken as a request of a later version it would be dropped without a word.
func notOne(request *schema) error {
	what := "resourceLogs"
	if request == &tracesRequest {
		what = "resourceSpans"
	}
	return invalid("an %s has %s, and this has none", request.name, what)
}

// group gives the records of one resource. It may come after the records that it is of.
func (x *exporter) group(raw []byte) error {
	resource, err := x.head(x.resources, raw)
	if err != nil {
		return err
	}
	if err := x.readResource(resource); err != nil {
		return err
	}
	return x.all(x.resources, raw, groupScopes, x.scopeGroup)
}

// scopeGroup gives the records of one scope. It may come after them.
func (x *exporter) scopeGroup(raw []byte) error {
	scope, err := x.head(x.scopes, raw)
	if err != nil {
		return err
	}
	if err := x.readScope(scope); err != nil {
		return err
	}
	return x.all(x.scopes, raw, scopesRecords, x.give)
}

// head finds the resource of a group, or its scope; nil where there is none.
func (x *exporter) head(s *schema, raw []byte) (head []byte, _ error) {
	found := false
	err := x.all(s, raw, headField, func(raw []byte) error {
		if found {
			return twoHeads(s)
		}
		head, found = raw, true
		return nil
	})
	return head, err
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

// give writes a record, and gives it.
func (x *exporter) give(raw []byte) error {
	if err := x.reserve(raw); err != nil {
		return err
	}
	if err := x.write(raw); err != nil {
		return err
	}
	if len(x.record) > MaxRecordBytes {
		return tooLong()
	}
	if x.expanded += len(x.record); x.expanded > MaxExpandedBytes {
		return invalid("records of more than %d bytes, each with its resource and scope: send fewer at a time", MaxExpandedBytes)
	}
	return x.each(x.record)
}

func (x *exporter) readResource(raw []byte) (err error) {
	x.resource = x.resource[:0]
	if err := x.reserve(raw); err != nil {
		return err
	}
	if err := x.all(&resourceMessage, raw, resourceAttributes, x.add); err != nil || len(x.open) == 0 {
		return err
	}
	x.resource, err = x.object(append(x.resource, `,"resource":`...), 0, 0)
	return err
}

func (x *exporter) readScope(raw []byte) error {
	x.scope = x.scope[:0]
	if err := x.reserve(raw); err != nil {
		return err
	}
	var name, version []byte
	r := openMessage(x.encoding, &scopeMessage, raw)
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
	dst, err := x.attributes(dst)
	if err != nil {
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
