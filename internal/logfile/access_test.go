package logfile

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAccessLines(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{
			`192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 512 "https://example.com/" "curl/8.0"`,
			`{"client":"192.0.2.1",` +
				`"time":"2015-05-17T10:05:03Z","status":200,"bytes":512,"method":"GET","path":"/a","query":"b=c","protocol":"HTTP/1.1",` +
				`"referer":"https://example.com/","user_agent":"curl/8.0"}`,
		},
		// the common form, another zone, no size
		{
			`::1 id frank [10/Oct/2000:13:55:36 -0700] "HEAD / HTTP/1.0" 304 -`,
			`{"client":"::1","time":"2000-10-10T20:55:36Z","status":304,"bytes":0,` +
				`"ident":"id","user":"frank","method":"HEAD","path":"/","protocol":"HTTP/1.0"}`,
		},
		// a virtual host in front, more fields behind
		{
			`shop.example.com:443 192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/2.0" 200 1 "-" "-" 0.002 "a \"b\"" -`,
			`{"client":"192.0.2.1",` +
				`"time":"2000-10-10T13:55:36Z","status":200,"bytes":1,"host":"shop.example.com:443","method":"GET",` +
				`"path":"/","protocol":"HTTP/2.0",` +
				`"extra":["0.002","a \"b\"","-"]}`,
		},
		// escapes of Apache and of nginx; bytes of another encoding stay as they were logged
		{
			`h - - [10/Oct/2000:13:55:36 +0000] "GET /\"x\\y\x22\xc3\xa9 HTTP/1.1" 200 1 "\xe4\xe5" "\t\x00"`,
			`{"client":"h","time":"2000-10-10T13:55:36Z",` +
				`"status":200,"bytes":1,"method":"GET","path":"/\"x\\y\"é","protocol":"HTTP/1.1",` +
				`"referer":"\\xe4\\xe5","user_agent":"\\t\\x00"}`,
		},
		{
			"h - - [10/Oct/2000:13:55:36 +0000] \"GET /\xff HTTP/1.1\" 200 1 \"-\" \"\x1b[2J\"",
			`{"client":"h","time":"2000-10-10T13:55:36Z",` +
				`"status":200,"bytes":1,"method":"GET","path":"/\\xff","protocol":"HTTP/1.1","user_agent":"\u001b[2J"}`,
		},
		// what is no request, and paths with spaces
		{
			`h - - [10/Oct/2000:13:55:36 +0000] "\x16\x03\x01" 400 166 "-" "-"`,
			`{"client":"h","time":"2000-10-10T13:55:36Z","status":400,"bytes":166,` +
				`"request":"\u0016\u0003\u0001"}`,
		},
		{
			`h - - [10/Oct/2000:13:55:36 +0000] "-" 408 - "-" "-"`,
			`{"client":"h","time":"2000-10-10T13:55:36Z","status":408,"bytes":0}`,
		},
		{
			`h - - [10/Oct/2000:13:55:36 +0000] "GET /a b HTTP/1.1 HTTP/1.1" 009 0`,
			`{"client":"h","time":"2000-10-10T13:55:36Z","status":9,"bytes":0,` +
				`"method":"GET","path":"/a b HTTP/1.1","protocol":"HTTP/1.1"}`,
		},
		// a user with spaces, who would like it to be another time
		{
			`h - a [01/Jan/1999:00:00:00 +0000] \"GET [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5`,
			`{"client":"h",` +
				`"time":"2000-10-10T13:55:36Z","status":200,"bytes":5,"user":"a [01/Jan/1999:00:00:00 +0000] \"GET",` +
				`"method":"GET","path":"/",` +
				`"protocol":"HTTP/1.1"}`,
		},
		// cut off in the middle of the last field
		{
			`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (compatible`,
			`{"client":"h","time":"2000-10-10T13:55:36Z",` +
				`"status":200,"bytes":5,"method":"GET","path":"/","protocol":"HTTP/1.1","user_agent":"Mozilla/5.0 (compatible"}`,
		},
	} {
		got, err := accessSyntax{}.object(nil, []byte(test.line))
		if err != nil || string(got) != test.want {
			t.Errorf("%s\nis   %s, %v\nwant %s", test.line, got, err, test.want)
		}
		if !json.Valid(got) {
			t.Errorf("%s is no JSON", got)
		}
	}
	for _, line := range []string{
		`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200`,
		`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" OK 5`,
		`h - - [40/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5`,
		`h - - [10/Okt/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5`,
		`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 -5`,
		`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5x`,
		`h - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1 200 5`,
		`h - - [10/Oct/2000:13:55:36 +0000] GET / HTTP/1.1 200 5`,
		`h - - "GET / HTTP/1.1" 200 5`, `{"a":1}`, `x`, "",
	} {
		if got, err := (accessSyntax{}).object(nil, []byte(line)); err == nil {
			t.Errorf("%s is taken for %s", line, got)
		}
	}
}

// FuzzAccess: whatever a client has the server log, the object is JSON, and its time and size are those that the server wrote.
func FuzzAccess(f *testing.F) {
	f.Add("frank", "GET / HTTP/1.1", "curl")
	f.Add(`a] "b`, `\" 200 1 "`, `\`)
	f.Add("\x00", "\xff\xc3", `\xzz\x1`)
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
	f.Fuzz(func(t *testing.T, user, request, agent string) {
		line := `h - ` + escape.Replace(user) + ` [10/Oct/2000:13:55:36 +0000] "` + escape.Replace(request) + `" 200 5 "-" "` +
			escape.Replace(agent) + `"`
		got, err := accessSyntax{}.object(nil, []byte(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		var o struct {
			Time          string
			Status, Bytes int
		}
		if err := json.Unmarshal(got, &o); err != nil || o.Time != "2000-10-10T13:55:36Z" || o.Status != 200 || o.Bytes != 5 {
			t.Errorf("%q is %s, %v", line, got, err)
		}
	})
}
