package main_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// piped runs a command that reads standard input.
func (o *operator) piped(stdin string, args ...string) (string, error) {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), tally, o.args(args)...)
	cmd.Dir, cmd.Stdin = o.dir, strings.NewReader(stdin)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// TestAppend: an event from a shell is stored as it is, once, and its sequence printed for scripts.
func TestAppend(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{`{"id":"a", "n":1.50}`}, "1\n"},
		{[]string{`{"n":2}`, "--idempotency-key", "k"}, "2\n"},
		{[]string{`{"n":2}`, "--idempotency-key", "k"}, "2\n"},
		{[]string{`{"n":3}`, "--expected-sequence", "2"}, "3\n"},
	} {
		if got := o.prints(append([]string{"append", "acme"}, test.args...)...); got != test.want {
			t.Errorf("append %q prints %q, want %q", test.args, got, test.want)
		}
	}
	o.succeeds(words("1\n", "it was there before"), "append", "acme", `{"id":"a", "n":1.50}`)
	for _, args := range [][]string{{"append", "acme"}, {"append", "acme", "-"}} {
		if got, err := o.piped(" {\"id\":\"b\",\n\"n\":4}\n", args...); err != nil || !strings.HasPrefix(got, "4\n") {
			t.Errorf("%v: %v, %s", args, err, got)
		}
	}
	if got := o.stored("acme"); !slices.Equal(got, []string{`{"id":"a", "n":1.50}`, `{"n":2}`, `{"n":3}`, `{"id":"b","n":4}`}) { // a line
		t.Errorf("stored are %q", got)
	}
	for want, args := range map[string][]string{
		"idempotency_key_reused":                        {"acme", `{"id":"a"}`},
		"sequence_mismatch":                             {"acme", `{}`, "--expected-sequence", "2"},
		"log_not_found":                                 {"none", `{}`},
		"tally batch takes many":                        {"acme", "{}\n{}"},
		"(not_an_object)":                               {"acme", "[]"},
		"(invalid_event_time)":                          {"acme", `{"time":"soon"}`},
		"LOG is missing":                                {},
		"is too much: tally append LOG [EVENT] [flags]": {"acme", "{}", "{}"},
	} {
		o.fails(words(want), append([]string{"append"}, args...)...)
	}
	output := fails(t, o.dir, []string{"append", "acme", "{}", "--url", "http://127.0.0.1:1"}, "no server answers")
	if strings.Contains(output, "may be stored") {
		t.Errorf("nothing was sent, and it says %s", output)
	}
	p := o.through(func(int64) bool { return false })
	fails(t, o.dir, []string{"append", "acme", "{}", "--url", p.url}, "it may be stored nevertheless")
	for stdin, want := range map[string]string{"": "standard input is empty", `{"a":"` + strings.Repeat("x", 2<<20): "event_too_large"} {
		if got, err := o.piped(stdin, "append", "acme", "-"); err == nil || !strings.Contains(got, want) {
			t.Errorf("%.10q: %v, %.300s", stdin, err, got)
		}
	}
}
