package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestAnswerTable: what views answer is laid out in rows, with each number as it is written.
func TestAnswerTable(t *testing.T) {
	for answer, want := range map[string]string{
		`{"03":{"a":{"n":1,"m":1234567890123456789},"b":{"n":2.50}}}`:              "key,key_2,n,m|03,a,1,1234567890123456789|03,b,2.50,",
		`{"rows":[{"from":"x","group":{"m":"a,b"},"sum":"1"},{"sum":null}],"z":1}`: `from,group.m,sum|x,"a,b",1|,,`,
		`[{"b":true,"a":"=1"},{"a":[1,"2"]}]`:                                      `b,a|true,'=1|,"1,2"`,
		`{"requests":3,"tokens":-5}`:                                               "requests,tokens|3,-5",
		`{"rows":[]}`:                                                              "",
		`{}`:                                                                       "",
		`[1,[2,3]]`:                                                                `value|1|"2,3"`,
		`"text"`:                                                                   "value|text",
		`{"one":[{"a":1}],"two":[{"a":2}]}`:                                        `one,two|a=1,a=2`,
	} {
		var out bytes.Buffer
		if err := writeAnswer(&out, outputCSV, []byte(answer)); err != nil {
			t.Errorf("%s: %v", answer, err)
		}
		if got := strings.TrimSuffix(strings.ReplaceAll(out.String(), "\r\n", "|"), "|"); got != strings.TrimSuffix(want, "|") {
			t.Errorf("%s is laid out as %s, want %s", answer, got, want)
		}
	}
	var out bytes.Buffer
	if err := writeAnswer(&out, outputTable, []byte(`{"2025-03":{"gpt-4":{"tokens_in":150,"n\u001b[2J":"\u001b[2J"}}}`)); err != nil {
		t.Fatal(err)
	}
	if want := "KEY      KEY 2  TOKENS IN  N\\U001B[2J\n2025-03  gpt-4  150        \\u001b[2J\n"; out.String() != want {
		t.Errorf("the table is\n%q, want\n%q", out.String(), want)
	}
	for _, answer := range []string{"a,b\n1,2\n", `{"a":1}{"b":2}`, `{"a":`, ""} {
		for _, form := range []string{outputTable, outputCSV, outputJSON} {
			if err := writeAnswer(&out, form, []byte(answer)); err == nil || !strings.Contains(err.Error(), "--output answer") {
				t.Errorf("%q as %s: %v", answer, form, err)
			}
		}
	}
}
