package source_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/source"
)

type unwrapping struct{ unwrap, record, want, fault string }

func envelopes() []unwrapping {
	encode := base64.StdEncoding.EncodeToString
	url := base64.RawURLEncoding.EncodeToString
	return []unwrapping{
		{`null`, `{"a":1}`, `{"a":1}`, ""},
		{`null`, `no JSON`, `no JSON`, ""},
		{`"/r"`, `{"r":[{"a":1}, {"b":"]}\\\""} ,3,[]]}`, `{"a":1}|{"b":"]}\\\""}|3|[]`, ""},
		{`"/r"`, `{"r":[]}`, ``, ""},
		{`"/r"`, `{"r":{"a":1}}`, `{"a":1}`, ""},
		{`"/r"`, `{"r":[1],"r":[2]}`, `2`, ""},
		{`"/r/0/s"`, `{"r":[{"s":[1,2]}]}`, `1|2`, ""},
		{`"/r"`, `{}`, ``, "at /r"},
		{`"/r"`, `{"r":null}`, ``, "at /r"},
		{`"/r"`, `{"r":"x"}`, ``, "at /r"},
		{`"/r"`, `{"r":[1}`, ``, "from byte 7 on"},
		{`"/r"`, `[1]`, ``, "at /r"},
		// text in the elements
		{`{"at":"/r","data":"/d"}`, `{"r":[{"d":"{\"a\":1}"},{"d":"{\"b\":2}\n{\"c\":3}"}]}`, `{"a":1}|{"b":2}|{"c":3}`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"{\"a\":\"}\"}{\"b\":2}[{},{}] [] "}}`, `{"a":"}"}|{"b":2}|{}|{}`, ""},
		{`{"at":"/r","data":"/d","as":"json"}`, `{"r":[{"d":{"a":1}},{"d":[{"b":2},3]}]}`, `{"a":1}|{"b":2}|3`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"plain text\n{\"a\":1}\nmore\n"}}`, `plain text|{"a":1}|more`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"{\"a\":1"}}`, `{"a":1`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"{\"a\":\"\\\"}\\\\\"}{}"}}`, `{"a":"\"}\\"}|{}`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"[1,}]"}}`, `[1,}|]`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"} {\"a\":1}"}}`, `} {"a":1}`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":"\ufeff {}"}}`, `{}`, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":{"d":" \n"}}`, ``, ""},
		{`{"at":"/r","data":"/d"}`, `{"r":[{"d":"1"},{"x":"2"},{"d":3},{"d":"4"}]}`, `1|4`, "no text at /d"},
		{`{"at":"/r","data":"/d"}`, `{"r":[1,"x",{"d":"4"}]}`, `4`, "no text at /d"},
		// base64
		{`{"at":"/r","data":"/d","as":"base64"}`, `{"r":[{"d":"` + encode([]byte(`{"a":"é?>"}`)) + `"}]}`, `{"a":"é?>"}`, ""},
		{`{"at":"/r","data":"/d","as":"base64"}`, `{"r":[{"d":"` + url([]byte(`{"a":"é?>"}{}`)) + `"}]}`, `{"a":"é?>"}|{}`, ""},
		{`{"at":"/r","data":"/d","as":"base64"}`, `{"r":[{"d":"e30\r\n=\n"}]}`, `{}`, ""},
		{`{"at":"/r","data":"/d","as":"base64"}`, `{"r":[{"d":"e30="},{"d":"e3"},{"d":"%"},{"d":"fQ=="}]}`, `{}|{|}`, "not valid base64"},
		{`{"at":"/r","data":"/d","as":"base64"}`, `{"r":[{"d":{"a":1}},{"d":["x"]},{"d":null},{"d":""}]}`, ``, "no text at /d"},
	}
}

func TestUnwrap(t *testing.T) {
	for _, tt := range envelopes() {
		m := parse(t, mapping(`"unwrap":`+tt.unwrap))
		var got []string
		err := m.Unwrap([]byte(tt.record), func(record []byte) error {
			got = append(got, string(record))
			return nil
		})
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.unwrap, tt.record, got, tt.want)
		}
		if tt.fault == "" {
			if err != nil {
				t.Errorf("%s of %s: %v", tt.unwrap, tt.record, err)
			}
			continue
		}
		invalid, ok := errors.AsType[*event.InvalidError](err)
		if !ok || invalid.Code != source.CodeEnvelope || !strings.Contains(invalid.Detail, tt.fault) {
			t.Errorf("%s of %s: %v, want … %s", tt.unwrap, tt.record, err, tt.fault)
		}
	}
}

func TestUnwrapEndsWithTheErrorOfEach(t *testing.T) {
	stop := errors.New("stop")
	for _, unwrap := range []string{`null`, `"/r"`, `{"at":"/r","data":"/d"}`} {
		m := parse(t, mapping(`"unwrap":`+unwrap))
		calls := 0
		err := m.Unwrap([]byte(`{"r":[{"d":"1 \n 2"},{"d":[3]}]}`), func([]byte) error {
			calls++
			return stop
		})
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("%s: %v after %d calls", unwrap, err, calls)
		}
	}
}
