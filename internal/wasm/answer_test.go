package wasm

import (
	"bytes"
	"testing"
)

// typedGuest answers with text of that type.
func typedGuest(contentType, text string) *guest {
	const typeAt, textAt = 128, 192
	g := newGuest().query(
		opConst(typeAt), opConst(int32(len(contentType))), opCall(callContentType), opConst64(textAt<<32|int64(len(text))))
	g.data[typeAt], g.data[textAt] = contentType, text
	return g
}

func TestAnswerType(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct{ contentType, text string }{
		{TypeJSON, `{"a":1}`}, {TypeCSV, "a,b\n1,ü\n"}, {TypeText, "{"}, {TypeText, ""},
	} {
		s := start(t, compile(t, e, typedGuest(tt.contentType, tt.text)), "", newState())
		answer, err := s.Query("")
		if err != nil || !bytes.Equal(answer, []byte(tt.text)) || s.AnswerType() != tt.contentType {
			t.Errorf("%s: answer %q of type %s, %v", tt.contentType, answer, s.AnswerType(), err)
		}
	}
	untyped := start(t, compile(t, e, newGuest()), "", newState())
	if _, err := untyped.Query(""); err != nil || untyped.AnswerType() != TypeJSON {
		t.Errorf("without content_type: %s, %v", untyped.AnswerType(), err)
	}
}

func TestAnswerTypeRefuses(t *testing.T) {
	e := newEngine(t)
	fold := newGuest().fold(opConst(16), opConst(4), opCall(callContentType), opConst(0))
	_, err := start(t, compile(t, e, fold), "", newState()).Fold(&Event{Data: []byte("{}")})
	viewError(t, err, KindTrap, "content_type was called in tally_fold, which may not call it")
	for _, tt := range []struct{ contentType, text, kind, part string }{
		{"text/html", "x", KindTrap, `"text/html" is not known; an answer is application/json, text/csv, text/plain`},
		{"", "x", KindTrap, `"" is not known`},
		{TypeJSON, "x", KindLimit, "the answer must be JSON"},
		{TypeCSV, "a\xff", KindLimit, "the answer must be valid UTF-8 to be text/csv"},
	} {
		_, err := start(t, compile(t, e, typedGuest(tt.contentType, tt.text)), "", newState()).Query("")
		viewError(t, err, tt.kind, tt.part)
	}
}

// The type of one answer is not the type of the next.
func TestAnswerTypeIsForgotten(t *testing.T) {
	g := typedGuest(TypeCSV, "a")
	g.function("tally_query").body = code(opGet(1), opIf, g.function("tally_query").body, opReturn, opEnd, opConst64(16<<32|4))
	s := start(t, compile(t, newEngine(t), g), "", newState())
	for _, query := range []string{"csv", ""} {
		if _, err := s.Query(query); err != nil {
			t.Fatal(err)
		}
	}
	if s.AnswerType() != TypeJSON {
		t.Errorf("the second answer has the type %s", s.AnswerType())
	}
}
