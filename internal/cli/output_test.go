package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

type thing struct {
	Name string     `json:"name"`
	N    int64      `json:"n"`
	At   *time.Time `json:"at,omitempty"`
	Tags []string   `json:"tags"`
	Note string     `json:"note"`
}

var thingTable = table[thing]{
	{"name", func(t thing) any { return t.Name }},
	{"big_number", func(t thing) any { return count(t.N) }},
	{"at", func(t thing) any { return t.At }},
	{"tags", func(t thing) any { return t.Tags }},
	{remarkColumn, func(t thing) any { return remark(t.Note) }},
}

// printed is what a function prints in a form.
func printed(t *testing.T, form string, print func(*cobra.Command, *printer) error) (string, error) {
	t.Helper()
	var out bytes.Buffer
	var p printer
	cmd := &cobra.Command{Use: "things"}
	p.addOutput(cmd)
	if err := cmd.Flags().Set("output", form); err != nil {
		t.Fatal(err)
	}
	cmd.SetOut(&out)
	err := print(cmd, &p)
	return out.String(), err
}

// TestPrinter: the same rows as a table, as JSON and as CSV, whatever is in them.
func TestPrinter(t *testing.T) {
	at := time.Date(2025, 3, 1, 10, 5, 30, 250_000_000, time.FixedZone("", 3600))
	things := []thing{
		{Name: "acme", N: 1234567, At: &at, Tags: []string{"a", "b"}},
		{Name: "two\r\nlines, \"quoted\"\x1b[2J", N: -5, Note: "=1+1"},
	}
	list := func(form string) string {
		text, err := printed(t, form, func(cmd *cobra.Command, p *printer) error { return thingTable.list(cmd, p, seqOf(things, nil)) })
		if err != nil {
			t.Errorf("%s: %v", form, err)
		}
		return text
	}
	rows, err := csv.NewReader(strings.NewReader(list(outputCSV))).ReadAll()
	want := [][]string{
		{"name", "big_number", "at", "tags", "remark"},
		{"acme", "1234567", "2025-03-01T09:05:30.25Z", "a,b", ""},
		{"two\nlines, \"quoted\"\x1b[2J", "-5", "", "", "'=1+1"}, // the reader makes \n of \r\n
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("CSV is %q, %v", rows, err)
	}
	if text := list(outputCSV); !strings.Contains(text, "\"two\r\nlines, \"\"quoted\"\"") || !strings.HasSuffix(text, "\r\n") {
		t.Errorf("CSV is %q", text)
	}
	var back []thing
	if err := json.Unmarshal([]byte(list(outputJSON)), &back); err != nil || len(back) != 2 || back[1].Name != things[1].Name {
		t.Errorf("JSON is %+v, %v", back, err)
	}
	wantTable := "NAME                               BIG NUMBER  AT                   TAGS\n" +
		"acme                               1,234,567   " + at.Local().Format("2006-01-02 15:04:05") + "  a,b\n" +
		"two\\r\\nlines, \"quoted\"\\u001b[2J  -5          -                    -     =1+1\n"
	if text := list(outputTable); strings.Join(strings.Fields(text), " ") != strings.Join(strings.Fields(wantTable), " ") {
		t.Errorf("the table is\n%s, want\n%s", text, wantTable)
	}
	columns := map[int]bool{} // where the third column begins
	for line := range strings.Lines(list(outputTable)) {
		for _, cell := range []string{"AT  ", at.Local().Format("2006-01-02"), "-                    -"} {
			if i := strings.Index(line, cell); i > 0 {
				columns[len([]rune(line[:i]))] = true
			}
		}
	}
	if len(columns) != 1 {
		t.Errorf("the columns are not aligned:\n%s", list(outputTable))
	}
	one, err := printed(t, outputTable, func(cmd *cobra.Command, p *printer) error { return thingTable.one(cmd, p, things[0]) })
	if err != nil || !strings.Contains(one, "big number  1,234,567\n") {
		t.Errorf("one is %s, %v", one, err)
	}
}

// TestPrinterOfNothing: an empty list is a list in every form, and an error is no list.
func TestPrinterOfNothing(t *testing.T) {
	for form, want := range map[string]string{
		outputJSON: "[]\n", outputCSV: "name,big_number,at,tags,remark\r\n", outputTable: "NAME  BIG NUMBER  AT  TAGS\n",
	} {
		text, err := printed(t, form, func(cmd *cobra.Command, p *printer) error { return thingTable.list(cmd, p, seqOf[thing](nil, nil)) })
		if err != nil || text != want {
			t.Errorf("nothing as %s is %q, %v", form, text, err)
		}
		broken := errors.New("broken")
		if _, err := printed(t, form, func(cmd *cobra.Command, p *printer) error {
			return thingTable.list(cmd, p, seqOf([]thing{{Name: "a"}}, broken))
		}); !errors.Is(err, broken) {
			t.Errorf("%s of what cannot be read to its end ends with %v", form, err)
		}
	}
}

// TestListLimit: as many rows as were asked for, and a word on standard error when there are more.
func TestListLimit(t *testing.T) {
	things := make([]thing, defaultLimit+1)
	for _, test := range []struct {
		flags listFlags
		rows  int
		more  bool
	}{
		{listFlags{limit: defaultLimit}, defaultLimit, true},
		{listFlags{limit: 3}, 3, true},
		{listFlags{limit: defaultLimit + 1}, defaultLimit + 1, false},
		{listFlags{limit: 1, all: true}, defaultLimit + 1, false},
	} {
		var stderr bytes.Buffer
		text, err := printed(t, outputCSV, func(cmd *cobra.Command, p *printer) error {
			cmd.SetErr(&stderr)
			return list(cmd, thingTable, p, &test.flags, seqOf(things, nil))
		})
		rows := strings.Count(text, "\r\n") - 1
		if err != nil || rows != test.rows || strings.Contains(stderr.String(), "--all") != test.more {
			t.Errorf("%+v gives %d rows, %v, and says %q", test.flags, rows, err, &stderr)
		}
	}
}
