package views_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/viewtest"
)

// TestKitsCountWhatTheyLeaveOut: what cannot be counted leaves a trace in the state, by reason, and answers tell of it.
func TestKitsCountWhatTheyLeaveOut(t *testing.T) {
	const march, never = 1_740_823_530_000_000, 1<<63 - 1
	name := func(bytes int) string { return strings.Repeat("n", bytes) }
	all := sides(t)
	for _, s := range all {
		s.restart(t, memoryState{})
		defer s.close()
	}
	for i, c := range []struct {
		data string
		at   int64
		want string
	}{
		{`{"model":"m","tokens_in":1000000000000000000,"tokens_out":"999999999999999999999999999999999999999999999"}`, march, "applied"},
		{`{"model":"m","tokens_in":"1,000","tokens_out":1}`, march, "applied"},
		{`{"model":"m","tokens_in":1e45,"tokens_out":true}`, march, "applied"},
		{`{"model":"m","tokens_in":"1e400","tokens_out":1e-28}`, march, "applied"},
		{`{"model":"m"}`, march, "ignored"},
		{`{"model":[],"tokens_in":null,"tokens_out":null}`, never, "ignored"},
		{`{"model":["m"],"tokens_in":1,"tokens_out":"x"}`, march, "applied"},
		{`{"model":{},"tokens_in":"x"}`, march, "applied"},
		{`{"model":"nul\u0000","tokens_in":1}`, march, "applied"},
		{`{"model":"` + name(1017) + `","tokens_in":1}`, march, "applied"},
		{`{"model":"` + name(1017) + `\u0000","tokens_in":1}`, march, "applied"},
		{`{"model":"` + name(1016) + `","tokens_in":1,"tokens_out":[]}`, march, "applied"}, // is a key, and none after uncounted/
		{`{"model":"` + name(1006) + `","tokens_in":{}}`, march, "applied"},
		{`{"model":"b","tokens_in":"","tokens_out":null}`, march, "applied"},
		{`{"model":"m","tokens_in":1}`, never, "applied"},
		{`{"model":[],"tokens_in":"x"}`, never, "applied"},
		{`{"model":"` + name(1014) + `","tokens_out":1}`, never, "applied"}, // not after uncounted//
	} {
		event := all[0].event(t, int64(i+1), []byte(c.data))
		event.Time = c.at
		for _, s := range all {
			if got := s.fold(t, event); got != c.want {
				t.Errorf("%.60s: %s says %s; %s is right", c.data, s.name, got, c.want)
			}
		}
	}
	want := memoryState{
		"2025-03/m": []byte(`{"tokens_in":1000000000000000000,` +
			`"tokens_out":1000000000000000000000000000000000000000000000}`),
		"2025-03/" + name(1016): []byte(`{"tokens_in":1,"tokens_out":0}`),
		"uncounted/2025-03/m": []byte(`{"tokens_in_not_a_number":1,"tokens_in_has_too_many_digits":2,` +
			`"tokens_out_not_a_number":1,"tokens_out_has_too_many_digits":1,"last_sequence":4}`),
		"uncounted/2025-03/": []byte(`{"model_not_text":2,"model_has_nul":1,"model_too_long":2,"tokens_out_not_a_number":1,` +
			`"last_sequence":12}`),
		"uncounted/2025-03/" + name(1006): []byte(`{"tokens_in_not_a_number":1,"last_sequence":13}`),
		"uncounted/2025-03/b":             []byte(`{"tokens_in_not_a_number":1,"last_sequence":14}`),
		"uncounted//m":                    []byte(`{"time_out_of_range":1,"last_sequence":15}`),
		"uncounted//":                     []byte(`{"time_out_of_range":2,"last_sequence":17}`),
	}
	for _, s := range all {
		if s.state.String() != want.String() {
			t.Errorf("%s has another state:\n%s", s.name, viewtest.Diff(want.String(), s.state.String()))
		}
	}
	delete(want, "2025-03/"+name(1016)) // for answers that can be read
	delete(want, "uncounted/2025-03/"+name(1006))
	totals := `"m":{"tokens_in":1000000000000000000,"tokens_out":1000000000000000000000000000000000000000000000,"uncounted":5}`
	march2025 := `{"":{"tokens_in":0,"tokens_out":0,"uncounted":6},"b":{"tokens_in":0,"tokens_out":0,"uncounted":1},` + totals + `}`
	reasons := `{"":` + string(want["uncounted/2025-03/"]) + `,"b":` + string(want["uncounted/2025-03/b"]) + `,"m":` +
		string(want["uncounted/2025-03/m"]) + `}`
	for query, answer := range map[string]string{
		"month=2025-03": march2025,
		"": `{"":{"":{"tokens_in":0,"tokens_out":0,"uncounted":2},"m":{"tokens_in":0,"tokens_out":0,` +
			`"uncounted":1}},"2025-03":` + march2025 + `}`,
		"uncounted": `{"":{"":{"time_out_of_range":2,"last_sequence":17},"m":{"time_out_of_range":1,"last_sequence":15}},` +
			`"2025-03":` + reasons + `}`,
		"uncounted&month=2025-03":  reasons,
		"month=2025-04&uncounted=": `{}`,
	} {
		for _, s := range all {
			s.state = want
			if got := s.answer(t, query); got != "application/json\n"+answer {
				t.Errorf("?%s: %s answers\n%s\nand not\n%s", query, s.name, got, answer)
			}
		}
	}
}

// TestKitsRefuseARepeatedParameter: which of the two is meant is anybody's guess.
func TestKitsRefuseARepeatedParameter(t *testing.T) {
	for _, s := range sides(t) {
		s.state = memoryState{"2025-03/m": []byte(`{"tokens_in":1,"tokens_out":1}`)}
		for query, want := range map[string]string{
			"month=2025-03&month=2025-04":       "refused: month is given twice: give it once",
			"month=2025-03&uncounted&month=bad": "refused: month is given twice: give it once",
			"uncounted&uncounted=":              "refused: uncounted is given twice: give it once",
			"moth=1&moth=1":                     `refused: unknown parameter "moth": this view knows month=2025-03 and uncounted`,
		} {
			if got := s.answer(t, query); got != want {
				t.Errorf("?%s: %s answers %q; %q is right", query, s.name, got, want)
			}
		}
	}
}

// TestKitsFailAlikeOverUncounted starts from what no view can have kept of values that were left out: folds and answers that read it
// are refused alike.
func TestKitsFailAlikeOverUncounted(t *testing.T) {
	event := []byte(`{"model":"m","tokens_in":"x","tokens_out":1}`)
	all := sides(t)
	for value, written := range map[string]bool{
		`{"tokens_in_not_a_number":999999999,"last_sequence":1}`: true, `{"a_b":1,"tokens_in_not_a_number":7,"last_sequence":0}`: true,
		`{"last_sequence":1}`: true, `{}`: false, `[]`: false, `null`: false, `"x"`: false, `7`: false, `{"last_sequence":01}`: false,
		`{"a":1}`: false, `{"a":1,"last_sequence":1 }`: false, `{"a": 1,"last_sequence":1}`: false, `{"a":1, "last_sequence":1}`: false,
		`{"a":-1,"last_sequence":1}`: false, `{"a":"1","last_sequence":1}`: false, `{"a":1.5,"last_sequence":1}`: false,
		`{"":1,"last_sequence":1}`: false, `{"A":1,"last_sequence":1}`: false, `{"a":1,"last_sequence":1,"b":1}`: false,
		`{"a":1,"last_sequence":1,"last_sequence":1}`: false, `{"a":01,"last_sequence":1}`: false,
		`{"a":1000000000000000000,"last_sequence":1}`: false, `{"a":{"b":1},"last_sequence":1}`: false,
		`{"a\u0062":1,"last_sequence":1}`: false,
	} {
		t.Run(value, func(t *testing.T) {
			for _, s := range all {
				s.restart(t, memoryState{"uncounted/2025-03/m": []byte(value), "2025-03/l": []byte(`{"tokens_in":1,"tokens_out":1}`)})
				defer s.close()
			}
			for _, query := range []string{"", "uncounted", "month=2025-03", "month=2025-03&uncounted"} {
				if got := compareAnswer(t, all, query); strings.Contains(got, "is not what this view writes") == written {
					t.Errorf("?%s is answered with %s", query, got)
				}
			}
			compareFold(t, all, 1, event, 0)
			for _, s := range all[1:] {
				if s.state.String() != all[0].state.String() {
					t.Errorf("%s writes %s, the ready view %s", s.name, s.state, all[0].state)
				}
			}
		})
	}
}
