package eventlog_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
)

// randomText has few letters, so that patterns match by chance, and those that LIKE treats in its own way.
func randomText(r *rand.Rand, letters string, longest int) string {
	text := make([]byte, r.IntN(longest+1))
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text)
}

// TestPatternsMatchAsLike: what a pattern means in memory, PostgreSQL finds by its LIKE. Keys decide by the one, lists and deploys by the
// other.
func TestPatternsMatchAsLike(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), testdb.New(t, testdb.Empty()).DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	r := rand.New(rand.NewPCG(11, 12))
	const pairs = 40_000
	names, patterns, likes := make([]string, pairs), make([]string, pairs), make([]string, pairs)
	for i := range pairs {
		names[i], patterns[i] = randomText(r, `aab_%\.`, 8), randomText(r, `aab**_%\.`, 7)
		likes[i] = eventlog.Pattern(patterns[i]).Like()
	}
	rows, err := conn.Query(t.Context(),
		"SELECT n LIKE l FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (n, l, i) ORDER BY i", names, likes)
	if err != nil {
		t.Fatal(err)
	}
	matches, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		t.Fatal(err)
	}
	matched := 0
	for i, want := range matches {
		if got := eventlog.Pattern(patterns[i]).Matches(names[i]); got != want {
			t.Fatalf("%q matches %q: %t; LIKE %q says %t", patterns[i], names[i], got, likes[i], want)
		}
		if want {
			matched++
		}
	}
	if len(matches) != pairs || matched < pairs/50 {
		t.Errorf("of %d pairs %d match: too few to tell", len(matches), matched)
	}
}

// TestPatternsCoverWhatTheyCover: a pattern that covers another matches all that the other does.
func TestPatternsCoverWhatTheyCover(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	covered := 0
	for range 300_000 {
		p, q := eventlog.Pattern(randomText(r, "aab**", 6)), eventlog.Pattern(randomText(r, "aab**", 6))
		if !p.Covers(q) {
			continue
		}
		covered++
		// A name that q matches: each star replaced by some run of letters.
		var name strings.Builder
		for _, c := range string(q) {
			if c == '*' {
				name.WriteString(randomText(r, "abc*", 3))
			} else {
				name.WriteRune(c)
			}
		}
		if !q.Matches(name.String()) {
			t.Fatalf("%q does not match %q", q, name.String())
		}
		if !p.Matches(name.String()) {
			t.Fatalf("%q covers %q, which matches %q, which it does not match itself", p, q, name.String())
		}
	}
	if covered < 10_000 {
		t.Errorf("%d patterns cover others: too few to tell", covered)
	}
}
