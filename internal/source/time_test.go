package source_test

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	for _, tt := range []struct{ unit, value, want string }{
		{"s", `1795846276`, "2026-11-28T06:11:16Z"},
		{"s", `"1795846276"`, "2026-11-28T06:11:16Z"},
		{"s", `1795846276.085116`, "2026-11-28T06:11:16.085116Z"},
		{"s", `"1795846276.120"`, "2026-11-28T06:11:16.12Z"},
		{"s", `1.795846276085116e9`, "2026-11-28T06:11:16.085116Z"},
		{"s", `17958462760851160E-7`, "2026-11-28T06:11:16.085116Z"},
		{"s", `0.1234567899`, "1970-01-01T00:00:00.123456789Z"},
		{"s", `0`, "1970-01-01T00:00:00Z"},
		{"s", `-0.0`, "1970-01-01T00:00:00Z"},
		{"s", `-1`, "1969-12-31T23:59:59Z"},
		{"s", `-0.25`, "1969-12-31T23:59:59.75Z"},
		{"s", `-0.0000000001`, "1969-12-31T23:59:59.999999999Z"},
		{"s", `1e-400`, "1970-01-01T00:00:00Z"},
		{"s", `1e-99999999999999999999`, "1970-01-01T00:00:00Z"},
		{"s", `253402300799.999999999`, "9999-12-31T23:59:59.999999999Z"},
		{"s", `253402300800`, "invalid_time"},
		{"s", `999999999999`, "invalid_time"},
		{"s", `1000000000000`, "invalid_time"},
		{"s", `-62167219200`, "0000-01-01T00:00:00Z"},
		{"s", `-62167219200.0000000001`, "invalid_time"},
		{"s", `-62167219201`, "invalid_time"},
		{"s", `18446744073709551616`, "invalid_time"}, // 2^64
		{"ns", `18446744073709551616000000000`, "invalid_time"},
		{"s", `1E400`, "invalid_time"},
		{"s", `-1e99999999999999999999`, "invalid_time"},
		{"s", `123456789012345678901234567890`, "invalid_time"},
		{"s", `"2026-11-28T06:11:16Z"`, "invalid_time"},
		{"s", `" 1"`, "invalid_time"},
		{"s", `"0x10"`, "invalid_time"},
		{"s", `true`, "invalid_time"},
		{"s", `[1]`, "invalid_time"},
		{"ms", `1795846276085`, "2026-11-28T06:11:16.085Z"},
		{"ms", `1795846276085.5`, "2026-11-28T06:11:16.0855Z"},
		{"ms", `-1`, "1969-12-31T23:59:59.999Z"},
		{"ms", `253402300799999`, "9999-12-31T23:59:59.999Z"},
		{"ms", `253402300800000`, "invalid_time"},
		{"us", `1795846276085116`, "2026-11-28T06:11:16.085116Z"},
		{"us", `"1795846276085116.0"`, "2026-11-28T06:11:16.085116Z"},
		{"ns", `1795846276085116001`, "2026-11-28T06:11:16.085116001Z"},
		{"ns", `"1795846276085116001"`, "2026-11-28T06:11:16.085116001Z"},
		{"ns", `0.9`, "1970-01-01T00:00:00Z"},
		{"ns", `-0.1`, "1969-12-31T23:59:59.999999999Z"},
		{"ns", `253402300799999999999`, "9999-12-31T23:59:59.999999999Z"},
		{"ns", `253402300800000000000`, "invalid_time"},
		{"rfc3339", `"2026-11-28T06:11:16.085116+00:00"`, "2026-11-28T06:11:16.085116Z"},
		{"rfc3339", `"2026-11-28T06:11:16.1234567891Z"`, "2026-11-28T06:11:16.123456789Z"},
		{"rfc3339", `"2026-11-28t06:11:16z"`, "2026-11-28T06:11:16Z"},
		{"rfc3339", `"2026-11-28 06:11:16-07:30"`, "2026-11-28T13:41:16Z"},
		{"rfc3339", `"2026-11-28 06:11:16.5 +0100"`, "2026-11-28T05:11:16.5Z"},
		{"rfc3339", `"2026-11-28 06:11:16 +01:00"`, "2026-11-28T05:11:16Z"},
		{"rfc3339", `"2026-11-28 06:11:16 Z"`, "invalid_time"},
		{"rfc3339", `"2026-11-28 06:11:16  +0100"`, "invalid_time"},
		{"rfc3339", `"2026-11-28 +0100"`, "invalid_time"},
		{"rfc3339", `"2026-11-28 06:11:16 "`, "invalid_time"},
		{"rfc3339", `"2026-11-28T06:11:16.50+0100"`, "2026-11-28T05:11:16.5Z"},
		{"rfc3339", `"2026-11-28T06:11:16-0730"`, "2026-11-28T13:41:16Z"},
		{"rfc3339", `"2026-11-28T06:11:16+2500"`, "invalid_time"},
		{"rfc3339", `"2016-12-31T23:59:60Z"`, "2017-01-01T00:00:00Z"},
		{"rfc3339", `"2017-01-01 00:59:60.5+0100"`, "2017-01-01T00:00:00.5Z"},
		{"rfc3339", `"2016-12-31T22:59:60Z"`, "invalid_time"},
		{"rfc3339", `"2026-02-29T00:00:00Z"`, "invalid_time"},
		{"rfc3339", `"2026-11-28T06:11:16"`, "invalid_time"},
		{"rfc3339", `"2026-11-28"`, "invalid_time"},
		{"rfc3339", `"0000-01-01T00:00:00+00:01"`, "invalid_time"},
		{"rfc3339", `"9999-12-31T23:59:59-00:01"`, "invalid_time"},
		{"rfc3339", `"0000-01-01T00:00:00Z"`, "0000-01-01T00:00:00Z"},
		{"rfc3339", `"x"`, "invalid_time"},
		{"rfc3339", `1795846276`, "invalid_time"},
		{"clf", `"10/Oct/2000:13:55:36 -0700"`, "2000-10-10T20:55:36Z"},
		{"clf", `"[28/Nov/2026:06:11:16 +0000]"`, "2026-11-28T06:11:16Z"},
		{"clf", `"31/Dec/2016:23:59:60 +0000"`, "2017-01-01T00:00:00Z"},
		{"clf", `"31/Nov/2016:23:59:00 +0000"`, "invalid_time"},
		{"clf", `"10/anF/2000:13:55:36 -0700"`, "invalid_time"},
		{"clf", `"10/oct/2000:13:55:36 -0700"`, "invalid_time"},
		{"clf", `"1//Oct/2000:13:55:36 -0700"`, "invalid_time"},
		{"clf", `"10/Oct/2000 13:55:36 -0700"`, "invalid_time"},
		{"clf", `"10/Oct/2000:13:55:36 -07:0"`, "invalid_time"},
		{"clf", `"10/Oct/2000:13:55:36"`, "invalid_time"},
		{"clf", `971211336`, "invalid_time"},
	} {
		m := parse(t, mapping(`"time":{"at":"/t","unit":"`+tt.unit+`"}`))
		want := `{"time":"` + tt.want + `"}`
		if strings.Contains(tt.want, "_") {
			want = tt.want
		}
		if got := describe(t, m.Map([]byte(`{"t":`+tt.value+`}`))); got != want {
			t.Errorf("%s in %s is %s, want %s", tt.value, tt.unit, got, want)
		}
	}
	for i := range 12 {
		month := time.Month(i + 1).String()[:3]
		m := parse(t, mapping(`"time":{"at":"/t","unit":"clf"}`))
		want := time.Date(2001, time.Month(i+1), 2, 3, 4, 5, 0, time.UTC).Format(time.RFC3339)
		if got := describe(t, m.Map([]byte(`{"t":"02/`+month+`/2001:03:04:05 +0000"}`))); got != `{"time":"`+want+`"}` {
			t.Errorf("%s is %s", month, got)
		}
	}
}

func TestTimesThatAreNotThere(t *testing.T) {
	for _, tt := range []struct{ clock, record, want string }{
		{`"/t"`, `{"t":"2026-11-28T06:11:16Z"}`, `{"time":"2026-11-28T06:11:16Z"}`},
		{`["/u","/t"]`, `{"u":null,"t":"2026-11-28T06:11:16Z"}`, `{"time":"2026-11-28T06:11:16Z"}`},
		{`{"at":["/u","/t"],"unit":"s"}`, `{"u":"","t":1}`, `{"time":"1970-01-01T00:00:01Z"}`},
		{`{"at":["/u","/t"],"unit":"s"}`, `{"u":"x","t":1}`, `invalid_time`},
		{`"/t"`, `{}`, `time_missing`},
		{`"/t"`, `{"t":""}`, `time_missing`},
		{`{"at":"/t","optional":false}`, `{"t":null}`, `time_missing`},
		{`{"at":"/t","optional":true}`, `{"t":null}`, `{}`},
		{`{"at":"/t","optional":true}`, `{"t":{}}`, `invalid_time`},
		{`null`, `{"t":1}`, `{}`},
	} {
		if got := describe(t, parse(t, mapping(`"time":`+tt.clock)).Map([]byte(tt.record))); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.clock, tt.record, got, tt.want)
		}
	}
}

// TestTimesAreExact compares counted times with the arithmetic of big numbers.
func TestTimesAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	perSecond := map[string]int64{"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
	mapped := 0
	for unit, per := range perSecond {
		m := parse(t, mapping(`"time":{"at":"/t","unit":"`+unit+`"}`))
		for range 5_000 {
			text := strconv.FormatInt(random.Int64()>>random.IntN(40), 10)
			if random.IntN(2) == 0 {
				text = text[:1+random.IntN(len(text))] + "." + strconv.Itoa(random.IntN(1e9))
			}
			if random.IntN(2) == 0 {
				text += "e" + strconv.Itoa(random.IntN(24)-14)
			}
			if random.IntN(2) == 0 {
				text = "-" + text
			}
			value, ok := new(big.Rat).SetString(text)
			if !ok {
				t.Fatal(text)
			}
			value.Mul(value, big.NewRat(1e9, per))
			nanoseconds := new(big.Int).Div(value.Num(), value.Denom()) // towards the past
			seconds, below := new(big.Int).DivMod(nanoseconds, big.NewInt(1e9), new(big.Int))
			want := "invalid_time"
			if seconds.IsInt64() && seconds.Int64() >= -62167219200 && seconds.Int64() < 253402300800 {
				want = `{"time":"` + time.Unix(seconds.Int64(), below.Int64()).UTC().Format(time.RFC3339Nano) + `"}`
				mapped++
			}
			if got := describe(t, m.Map([]byte(`{"t":`+text+`}`))); got != want {
				t.Fatalf("%s %s is %s, want %s", text, unit, got, want)
			}
		}
	}
	if mapped < 5_000 {
		t.Errorf("only %d of 20,000 were times", mapped)
	}
}
