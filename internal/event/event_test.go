package event_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
)

func micros(t *testing.T, text string) int64 {
	t.Helper()
	clock, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return clock.UnixMicro()
}

// padded is an event of exactly that many bytes.
func padded(n int) string {
	const open, end = `{"x":"`, `"}`
	return open + strings.Repeat("x", n-len(open)-len(end)) + end
}

func TestParse(t *testing.T) {
	xs := func(n int) string { return strings.Repeat("x", n) }
	for data, want := range map[string]struct{ typ, key string }{
		`{}`:                       {"", ""},
		" \r\n\t{} ":               {"", ""},
		`{"type":"api.call"}`:      {"api.call", ""},
		`{"type":null,"id":null}`:  {"", ""},
		`{"type":""}`:              {"", ""},
		`{"type":"a","type":"b"}`:  {"b", ""}, // the last one counts
		`{"data":{"type":"deep"}}`: {"", ""},
		`{"type":"gr\u00f6\u00dfe \ud83d\ude00"}`:   {"größe 😀", ""},
		`{"type":"` + xs(event.MaxTypeBytes) + `"}`: {xs(event.MaxTypeBytes), ""},
		`{"id":"e1"}`:                            {"", "e1"},
		`{"id":"e1","source":null}`:              {"", "e1"},
		`{"id":"e1","source":""}`:                {"", "e1"},
		`{"source":"/gateway"}`:                  {"", ""},
		`{"source":7}`:                           {"", ""}, // no part of a key without an id
		`{"id":"e1","source":"/gateway"}`:        {"", "/gateway e1"},
		`{"id":"` + xs(event.MaxKeyBytes) + `"}`: {"", xs(event.MaxKeyBytes)},
		`{"id":"y","source":"` + xs(510) + `"}`:  {"", xs(510) + " y"},
		`{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"tokens":1}}`: {"t", "s 1"},
		padded(event.MaxBytes): {"", ""},
	} {
		e, err := event.Parse([]byte(data))
		if err != nil {
			t.Errorf("%.80s: %v", data, err)
			continue
		}
		if string(e.Data) != strings.Trim(data, " \t\r\n") || e.Type != want.typ || e.Key != want.key ||
			e.KeyHash.IsZero() != (want.key == "") || e.HasTime {
			t.Errorf("%.80s: type %q, key %q, %v, time %v; want %+v", data, e.Type, e.Key, !e.KeyHash.IsZero(), e.HasTime, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	xs := func(n int) string { return strings.Repeat("x", n) }
	for data, code := range map[string]string{
		``: "invalid_json", ` `: "invalid_json", `{`: "invalid_json", `{}{}`: "invalid_json", `{"a":01}`: "invalid_json",
		"{\"a\":\"\xff\"}": "invalid_json",
		"\ufeff{}":         "invalid_json", `{"a":NaN}`: "invalid_json", `{'a':1}`: "invalid_json", "{\"a\":\"\n\"}": "invalid_json",
		`[]`: "not_an_object", `1`: "not_an_object", `null`: "not_an_object", ` "type"`: "not_an_object", `[{"type":"a"}]`: "not_an_object",
		`{"type":1}`: "invalid_event_type", `{"type":["a"]}`: "invalid_event_type", `{"type":true}`: "invalid_event_type",
		`{"type":"a\u0000b"}`: "invalid_event_type", `{"type":"a\nb"}`: "invalid_event_type", `{"type":"\u007f"}`: "invalid_event_type",
		`{"type":"a\u0080"}`:    "invalid_event_type",
		`{"type":"a\u009b31m"}`: "invalid_event_type", "{\"type\":\"\u0085\"}": "invalid_event_type", // C1
		`{"id":"a\u009f"}`: "invalid_event_id", `{"id":"a","source":"\u0085"}`: "invalid_event_id",
		`{"type":"` + xs(event.MaxTypeBytes+1) + `"}`: "invalid_event_type",
		`{"type":"` + strings.Repeat("é", 128) + `"}`: "invalid_event_type", // bytes count, not characters
		`{"id":1}`: "invalid_event_id", `{"id":""}`: "invalid_event_id", `{"id":{}}`: "invalid_event_id",
		`{"id":"a","source":1}`: "invalid_event_id",
		`{"id":"a\u0000"}`:      "invalid_event_id", `{"id":"a","source":"\u0001"}`: "invalid_event_id",
		`{"id":"` + xs(event.MaxKeyBytes+1) + `"}`: "invalid_event_id",
		`{"id":"y","source":"` + xs(511) + `"}`:    "invalid_event_id",
		`{"time":1}`:                               "invalid_event_time", `{"time":""}`: "invalid_event_time",
		`{"time":"yesterday"}`: "invalid_event_time", `{"time":{}}`: "invalid_event_time",
		padded(event.MaxBytes + 1): "event_too_large",
	} {
		e, err := event.Parse([]byte(data))
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Code != code || invalid.Detail == "" {
			t.Errorf("%.80q: %+v, %v; want code %s", data, e.Type, err, code)
		}
	}
}

func TestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2025-03-01T10:05:30Z":                "2025-03-01 10:05:30 +0000",
		"2025-03-01T10:05:30.5Z":              "2025-03-01 10:05:30.5 +0000",
		"2025-03-01T10:05:30.123456789+01:00": "2025-03-01 09:05:30.123456 +0000",
		"2025-03-01T00:00:00-23:59":           "2025-03-01 23:59:00 +0000",
		"1969-12-31T23:59:59.999999Z":         "1969-12-31 23:59:59.999999 +0000",
		"1969-12-31T23:59:59.9999999Z":        "1969-12-31 23:59:59.999999 +0000", // towards the past, as after 1970
		"2024-02-29T00:00:00Z":                "2024-02-29 00:00:00 +0000",
		"0000-01-01T00:00:00Z":                "0000-01-01 00:00:00 +0000",
		"9999-12-31T23:59:59.999999999Z":      "9999-12-31 23:59:59.999999 +0000",
		"2025-03-01t10:05:30z":                "2025-03-01 10:05:30 +0000",
		"2025-03-01t10:05:30.25+01:00":        "2025-03-01 09:05:30.25 +0000",
		"2016-12-31T23:59:60Z":                "2017-01-01 00:00:00 +0000", // a leap second, as PostgreSQL reads it
		"2016-12-31t23:59:60.25z":             "2017-01-01 00:00:00.25 +0000",
		"2017-01-01T05:29:60+05:30":           "2017-01-01 00:00:00 +0000",
		"1990-12-31T15:59:60-08:00":           "1991-01-01 00:00:00 +0000",
	} {
		e, err := event.Parse(fmt.Appendf(nil, `{"time":%q}`, text))
		if err != nil || !e.HasTime || e.Time != micros(t, want) {
			t.Errorf("%s is %d, %v, %v; want %d", text, e.Time, e.HasTime, err, micros(t, want))
		}
	}
	for _, text := range []string{
		"2025-03-01", "2025-03-01T10:05Z", "2025-03-01T10:05:30", "2025-03-01 10:05:30Z", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
		"2025-03-01T24:00:00Z", "2025-03-01T23:60:00Z", "2025-03-01T10:05:30+0100", "2025-03-01T10:05:30.Z", "2025-03-01T10:05:30,5Z",
		"2025-03-01T1:05:30Z", "2025-03-01T10:05:30+24:00", "2025-03-01T10:05:30+01:60", "02025-03-01T10:05:30Z", "2025-03-01T10:05:30Zz",
		"2016-12-31T23:58:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:59:60+01:00", // no leap seconds
		"2016-12-31T23:59:61Z", "2016-12-31T23:60:60Z",
		"2025-03-01T10:05:30+", "2025-03-01T10:05:30z ", "2025-03-01\u0131\u0131\u0131\u0131\u0131", "9999-12-31T23:59:60Z",
		"0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", // in UTC, years that RFC 3339 cannot write
	} {
		e, err := event.Parse(fmt.Appendf(nil, `{"time":%q}`, text))
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Code != "invalid_event_time" {
			t.Errorf("%s was read as %d: %v", text, e.Time, err)
		}
	}
	for _, data := range []string{`{}`, `{"time":null}`} {
		if e, err := event.Parse([]byte(data)); err != nil || e.HasTime {
			t.Errorf("%s has a time: %v, %v", data, e.Time, err)
		}
	}
}

// TestKeysDoNotMeet puts the same characters together in every way: each pair of source and id is a key of its own.
func TestKeysDoNotMeet(t *testing.T) {
	seen := map[[16]byte]string{}
	pairs := 0
	for _, text := range []string{"a b c d", "aaaa", " a ", "\u00e9\u00e9", "a/b:c#d"} {
		for i := 0; i <= len(text); i++ {
			for _, gap := range []string{"", " "} {
				source, id := text[:i], strings.TrimPrefix(text[i:], gap)
				if id == "" {
					continue
				}
				e, err := event.Parse(fmt.Appendf(nil, `{"source":%q,"id":%q}`, source, id))
				if err != nil {
					continue // a character was cut in two
				}
				pair := fmt.Sprintf("%q %q", source, id)
				if other, taken := seen[e.KeyHash]; taken && other != pair {
					t.Errorf("%s has the hash of %s", pair, other)
				} else if !taken {
					pairs++
				}
				seen[e.KeyHash] = pair
			}
		}
	}
	if pairs < 20 {
		t.Errorf("only %d pairs were compared", pairs)
	}
}

// TestSetKey: a key fills in where there is no id, and is held to the same limits where there is one.
func TestSetKey(t *testing.T) {
	parse := func(data string) event.Event {
		e, err := event.Parse([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	with, without := parse(`{"id":"inner","source":"s"}`), parse(`{"source":"s"}`)
	inner := with.KeyHash
	if err := with.SetKey("outer"); err != nil || with.Key != "s inner" || with.KeyHash != inner {
		t.Errorf("the key beside an id makes it %q, %v", with.Key, err)
	}
	if err := without.SetKey("outer"); err != nil || without.Key != "outer" ||
		without.KeyHash != with.FormerKeyHash || !without.FormerKeyHash.IsZero() {
		t.Errorf("the key is %q, %v", without.Key, err)
	}
	for _, key := range []string{"", "a\nb", "\x00", "\xff", "\x7f", "\u0085", "\u009f", strings.Repeat("x", event.MaxKeyBytes+1)} {
		for _, data := range []string{`{"id":"inner"}`, `{}`} {
			e := parse(data)
			before := e.Key
			var invalid *event.InvalidError
			if err := e.SetKey(key); !errors.As(err, &invalid) || invalid.Code != "invalid_idempotency_key" || e.Key != before {
				t.Errorf("%s with %.20q: %v; the key is now %.20q", data, key, err, e.Key)
			}
		}
	}
	if e := parse(`{}`); e.SetKey(strings.Repeat("x", event.MaxKeyBytes)) != nil {
		t.Error("the longest key is refused")
	}
}
