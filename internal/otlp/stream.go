package otlp

import (
	"errors"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tallystick/tallystick/internal/framing"
)

// stream is a request as it comes, in either encoding: messages are entered and left, and what is in them is held only as far as somebody
// asks for it.
type stream interface {
	// enter enters the message that is next; before anything else, the request.
	enter() error
	// next goes to the next field, of the message entered last, that the schema knows, which is a message. At the end it leaves the one
	// that was entered, and returns 0.
	next(s *schema) (number int, err error)
	// value returns the message that is next, until the next call. Where it has more than most bytes it is not whole, and still next.
	value(most int) (raw []byte, whole bool, err error)
	// skip passes over the message that is next.
	skip() error
	// inOrder reports whether the message that is next, which is long, has its head before all else. If it may not, it is to be read twice.
	inOrder(s *schema) (bool, error)
	// window is what the stream reads from.
	window() *framing.Window
	// end is called after the request was left: nothing may follow. It reports whether the request has something, and nothing known.
	end() (other bool, err error)
}

func newStream(e Encoding, in *framing.Window) stream {
	if e == JSON {
		return &jsonStream{walker: framing.NewWalker(in), in: in}
	}
	return &protobufStream{in: in}
}

const (
	// maxVarint bounds a tag and a length, in bytes.
	maxVarint = 10
	// maxGroups is how deep groups may be nested that are skipped, as generated code has it.
	maxGroups = 10_000
)

// newPart returns the stream of one message that is all there is in a window: it is next.
func newPart(e Encoding, in *framing.Window, size int64) stream {
	if e == JSON {
		return &jsonStream{walker: framing.NewWalker(in), in: in}
	}
	return &protobufStream{in: in, inside: true, size: size}
}

// protobufStream reads messages by their lengths. The request itself has none: it ends with the body.
type protobufStream struct {
	in     *framing.Window
	ends   []int64 // of the messages that were entered, but the request, in the body
	size   int64   // of the message that is next
	inside bool    // the request
	groups []protowire.Number
	known  bool // something of the request was
}

func (p *protobufStream) enter() error {
	if !p.inside {
		p.inside = true
		return nil
	}
	p.ends = append(p.ends, p.in.Offset()+p.size)
	return nil
}

func (p *protobufStream) next(s *schema) (int, error) {
	for {
		head, err := p.head()
		if err != nil {
			return 0, err
		}
		if len(head) == 0 {
			return 0, p.leave(s)
		}
		number, wireType, n := protowire.ConsumeTag(head)
		if n < 0 {
			return 0, brokenProtobuf(s, n)
		}
		known := len(p.groups) == 0 && int(number) < len(s.wireTypes) && s.wireTypes[number] == wireType
		if wireType != protowire.BytesType {
			if err := p.skipField(s, number, wireType, head, n); err != nil {
				return 0, err
			}
			continue
		}
		size, m := protowire.ConsumeVarint(head[n:])
		if m < 0 {
			return 0, brokenProtobuf(s, m)
		}
		p.in.Take(n + m)
		if len(p.ends) > 0 && size > uint64(p.ends[len(p.ends)-1]-p.in.Offset()) { //nolint:gosec // it is within the message
			return 0, brokenProtobuf(s, truncated)
		}
		if size > math.MaxInt32 { // no body has as much
			return 0, brokenProtobuf(s, truncated)
		}
		if known {
			p.size, p.known = int64(size), true
			return int(number), nil
		}
		p.size = int64(size)
		if err := p.skip(); err != nil {
			return 0, err
		}
	}
}

func (p *protobufStream) skip() error {
	err := p.in.Skip(p.size)
	if errors.Is(err, io.EOF) {
		return invalid("broken protobuf: %v", protowire.ParseError(truncated))
	}
	return err
}

func (p *protobufStream) window() *framing.Window { return p.in }

// truncated is protowire's code for what ends too early.
const truncated = -1

// head returns the bytes of the next tag and length, or what there is of them in the message; none at its end.
func (p *protobufStream) head() ([]byte, error) {
	most := int64(2 * maxVarint)
	if len(p.ends) > 0 {
		most = min(most, p.ends[len(p.ends)-1]-p.in.Offset())
	}
	held, err := p.in.Peek(int(most))
	if err != nil {
		return nil, err
	}
	return held[:min(int64(len(held)), most)], nil
}

// leave leaves the message that was entered last.
func (p *protobufStream) leave(s *schema) error {
	if len(p.groups) > 0 {
		return brokenProtobuf(s, truncated)
	}
	if last := len(p.ends) - 1; last >= 0 {
		if p.in.Offset() < p.ends[last] { // the body ended before
			return brokenProtobuf(s, truncated)
		}
		p.ends = p.ends[:last]
	}
	return nil
}

// skipField skips a field that is none of bytes: its tag is the first n of head.
func (p *protobufStream) skipField(s *schema, number protowire.Number, wireType protowire.Type, head []byte, n int) error {
	last := len(p.groups) - 1
	switch {
	case wireType == protowire.StartGroupType && len(p.groups) == maxGroups:
		return invalid("broken protobuf in %s: groups nested deeper than %d", s.name, maxGroups)
	case wireType == protowire.StartGroupType:
		p.groups = append(p.groups, number)
	case wireType == protowire.EndGroupType && (last < 0 || p.groups[last] != number):
		return invalid("broken protobuf in %s: the end of a group that did not begin", s.name)
	case wireType == protowire.EndGroupType:
		p.groups = p.groups[:last]
	default:
		m := protowire.ConsumeFieldValue(number, wireType, head[n:])
		if m < 0 {
			return brokenProtobuf(s, m)
		}
		n += m
	}
	p.in.Take(n)
	return nil
}

func (p *protobufStream) value(most int) (raw []byte, whole bool, _ error) {
	if p.size > int64(most) {
		return nil, false, nil
	}
	held, err := p.in.Peek(int(p.size))
	switch {
	case err != nil:
		return nil, false, err
	case int64(len(held)) < p.size:
		return nil, false, invalid("broken protobuf: %v", protowire.ParseError(truncated))
	}
	p.in.Take(int(p.size))
	return held[:p.size:p.size], true, nil
}

// inOrder looks at the first field: most encoders write fields by their numbers, and some, such as that of the OpenTelemetry Collector,
// from the last to the first.
func (p *protobufStream) inOrder(*schema) (bool, error) {
	held, err := p.in.Peek(int(min(maxVarint, p.size)))
	if err != nil {
		return false, err
	}
	number, _, n := protowire.ConsumeTag(held)
	return n > 0 && number == headField, nil
}

func (p *protobufStream) end() (other bool, err error) { return p.in.Offset() > 0 && !p.known, nil }

func brokenProtobuf(s *schema, code int) error {
	return invalid("broken protobuf in %s: %v", s.name, protowire.ParseError(code))
}

// jsonStream reads objects. Of a message that may be there any number of times, the array is entered and left by the way.
type jsonStream struct {
	walker *framing.Walker
	in     *framing.Window
	listed []*member // for each message that was entered, whose elements are read; nil outside of an array
	some   bool      // the request has members
	known  bool      // some of them are
}

func (j *jsonStream) enter() error {
	c, err := j.walker.First()
	if err == nil && c != '{' { // of the request; other messages were looked at
		return invalid("the body is no JSON object")
	}
	if err == nil {
		err = j.walker.Enter()
	}
	j.listed = append(j.listed, nil)
	return noJSON(err)
}

func (j *jsonStream) next(s *schema) (int, error) {
	number, err := j.nextField(s)
	return number, noJSON(err)
}

func (j *jsonStream) nextField(s *schema) (int, error) {
	last := len(j.listed) - 1
	for {
		name, more, err := j.walker.Next()
		listed := j.listed[last]
		switch {
		case err != nil:
			return 0, err
		case more && listed != nil:
			return j.object(s, listed, "an array of objects")
		case listed != nil:
			j.listed[last] = nil
			continue
		case !more:
			j.listed = j.listed[:last]
			return 0, nil
		}
		m := s.member(name)
		j.some = true
		j.known = j.known || m != nil
		c, err := j.walker.First()
		switch {
		case err != nil:
			return 0, err
		case m == nil || c == 'n':
			err = j.walker.Skip()
		case m.kind == repeatedKind && c == '[':
			j.listed[last] = m
			err = j.walker.Enter()
		case m.kind == repeatedKind:
			return 0, j.wrong(s, m, "an array of objects")
		default:
			return j.object(s, m, "an object")
		}
		if err != nil {
			return 0, err
		}
	}
}

// object looks at the value that is next.
func (j *jsonStream) object(s *schema, m *member, want string) (int, error) {
	c, err := j.walker.First()
	if err == nil && c != '{' {
		return 0, j.wrong(s, m, want)
	}
	return m.number, err
}

func (j *jsonStream) wrong(s *schema, m *member, want string) error {
	value, whole, err := j.walker.Value(orderBytes)
	if err != nil {
		return err
	}
	if !whole {
		return invalid("%s of %s must be %s", m.name, s.name, want)
	}
	return wrongValue(s, m, want, value)
}

func (j *jsonStream) value(most int) (raw []byte, whole bool, err error) {
	raw, whole, err = j.walker.Value(most)
	return raw, whole, noJSON(err)
}

func (j *jsonStream) skip() error { return noJSON(j.walker.Skip()) }

func (j *jsonStream) window() *framing.Window { return j.in }

// inOrder looks: objects that were sorted by their members' names have the scope after the records.
func (j *jsonStream) inOrder(s *schema) (bool, error) {
	name, err := j.walker.FirstName()
	if err != nil || name == nil {
		return false, noJSON(err)
	}
	m := s.member(name)
	return m != nil && m.number == headField, nil
}

func (j *jsonStream) end() (other bool, err error) {
	return j.some && !j.known, noJSON(j.walker.End())
}

// noJSON is the error of a body that is no JSON.
func noJSON(err error) error {
	var syntax *framing.SyntaxError
	if errors.As(err, &syntax) {
		return invalid("no JSON from byte %d on: %s", syntax.Offset, syntax.Reason)
	}
	return err
}
