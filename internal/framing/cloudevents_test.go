package framing

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestKind(t *testing.T) {
	binary := http.Header{"Ce-Id": {"1"}, "Ce-Specversion": {"1.0"}}
	for _, c := range []struct {
		contentType string
		header      http.Header
		want        Form
	}{
		{"", nil, None},
		{"application/json", nil, None},
		{"application/cloudevents+json", nil, Structured},
		{"Application/CloudEvents+JSON ; charset=utf-8", nil, Structured},
		{"application/cloudevents-batch+json; charset=UTF-8", nil, Batch},
		{"application/json", binary, Binary},
		{"", binary, Binary},
		{"application/cloudevents+json", binary, Structured},
		{"application/cloudevents+jsonx", nil, None},
	} {
		if got := Kind(c.contentType, c.header); got != c.want {
			t.Errorf("%q with %v: %v, want %v", c.contentType, c.header, got, c.want)
		}
	}
}

func TestCheckType(t *testing.T) {
	for contentType, ok := range map[string]bool{
		"": true, "text/plain": true, "application/json; charset=utf-8": true, "application/x-www-form-urlencoded": true,
		"application/x-ndjson": true, "application/cloudevents+json": true,
		"multipart/form-data; boundary=x": false, "Multipart/mixed": false, "application/msgpack": false,
		"application/cloudevents+avro": false,
	} {
		var refused *TypeError
		if err := CheckType(contentType); (err == nil) != ok || !ok && (!errors.As(err, &refused) || refused.Type != contentType) {
			t.Errorf("%q: %v", contentType, err)
		}
	}
}

func TestBinaryEvent(t *testing.T) {
	const head = `"id":"1","source":"/gateway/7","specversion":"1.0","type":"api.call"}`
	for _, c := range []struct {
		header, body, want string
	}{
		{"", "", "{" + head},
		{"", " {\"tokens\": 10}\n", `{"data":{"tokens": 10},` + head},
		{"Content-Type: application/json; charset=utf-8", `[1]`, `{"data":[1],"datacontenttype":"application/json; charset=utf-8",` + head},
		{"Content-Type: application/vnd.x+json", `1`, `{"data":1,"datacontenttype":"application/vnd.x+json",` + head},
		{"Content-Type: text/plain", `1`, `{"data":"1","datacontenttype":"text/plain",` + head},
		{"Content-Type: application/json", `{"a":`, `{"data":"{\"a\":","datacontenttype":"application/json",` + head},
		{"", "no <JSON>\n", `{"data":"no <JSON>\n",` + head},
		{"", "\xff\x00", `{"data_base64":"/wA=",` + head},
		{"ce-Subject: \"a \\\"b\\\\ %E2%82%AC%20%2x %\"", "", `{"id":"1","source":"/gateway/7","specversion":"1.0",` +
			`"subject":"a \"b\\ € %2x %","type":"api.call"}`},
		{"Ce-Myextension: 0xf", "", `{"id":"1","myextension":"0xf","source":"/gateway/7","specversion":"1.0","type":"api.call"}`},
		{"Ce-Data: 1", "", "!the header Ce-Data names no attribute of an event"},
		{"Ce-: 1", "", "!the header Ce- names no attribute of an event"},
		{"Ce-Id: 2", "", "!the header Ce-Id was sent more than once"},
		{"Ce-Subject: %ff", "", "!the header Ce-Subject is not UTF-8 once its percent signs are decoded"},
		{"Content-Type: \xff", "", "!the header Content-Type is not UTF-8"},
	} {
		header := http.Header{
			"Ce-Id": {"1"}, "Ce-Source": {"/gateway/7"}, "Ce-Specversion": {"1.0"}, "Ce-Type": {"api.call"}, "Accept": {"*/*"},
		}
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			header.Add(name, value)
		}
		got, err := BinaryEvent(header, []byte(c.body))
		if text := string(got); err == nil && text != c.want || err != nil && "!"+err.Error() != c.want {
			t.Errorf("%s, %q:\n got %s, %v\nwant %s", c.header, c.body, text, err, c.want)
		}
	}
}
