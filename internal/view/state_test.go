package view_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// prefixes are what the keys of the tests begin with: some are prefixes of others, some end where raising the last
// character is not that simple.
var prefixes = []string{
	"a", "ab", "abc", "b", "b\U0010ffff", "b\U0010ffff\U0010ffff", "c\u007f", "c\u0080", "d\ud7ff", "d\ue000",
	"é", "\U0010ffff", " ", "%_", "\\",
}

// writing is a random script that works on keys with numbers below limit.
type writing struct {
	random *rand.Rand
	limit  int
}

func (w writing) key() string {
	return fmt.Sprintf("%s%d", prefixes[w.random.IntN(len(prefixes))], w.random.IntN(w.limit))
}

func (w writing) line() string {
	switch k := w.random.IntN(20); {
	case k < 8:
		return line("set", w.key(), w.random.IntN(1000))
	case k < 12:
		return line("delete", w.key())
	case k < 16:
		return line("copy", w.key(), w.key())
	default:
		return "scan\t" + w.scan() + "\t" + w.key()
	}
}

// scan is a prefix, where to go on, and how many keys to read in pages of how many.
func (w writing) scan() string {
	prefix, after := prefixes[w.random.IntN(len(prefixes))], ""
	if w.random.IntN(8) == 0 {
		prefix = ""
	}
	if w.random.IntN(2) == 0 {
		after = w.key()
	}
	return line(prefix, after, 1+w.random.IntN(40), []int{1, 2, 3, 7, 100, 2000}[w.random.IntN(6)])
}

func (w writing) events(t *testing.T, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		lines := make([]string, 1+w.random.IntN(6))
		for j := range lines {
			lines[j] = w.line()
		}
		events[i] = script(t, lines...)
	}
	return events
}

// TestStateOfAnySize runs random scripts on states from empty to larger than what a server holds in memory, in batches
// of any size, on two servers and over restarts, and compares every answer with the model's.
func TestStateOfAnySize(t *testing.T) {
	for _, test := range []struct {
		name                      string
		fill, rounds, batch, keys int
	}{
		{"small", 0, 30, 8, 4},
		{"about to outgrow memory", 1000, 25, 12, 80},
		{"large", 4000, 20, 12, 300},
		{"huge", 40_000, 6, 12, 3000},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := testdb.New(t)
			settings := testrig.Settings{NoBuilder: true}
			nodes := []*testrig.Node{testrig.Start(t, d.DSN(), settings), testrig.Start(t, d.DSN(), settings)}
			log := nodes[0].NewLog(t)
			nodes[0].Deploy(t, log, "s", testrig.Scripted(), "{}")
			model := testrig.NewScript()
			w := writing{rand.New(rand.NewPCG(11, uint64(test.keys))), test.keys}
			follow := func(node *testrig.Node, events []event.Event) {
				t.Helper()
				first := node.Append(t, log, events...)[0].Sequence
				for i := range events {
					if err := model.Fold(&testrig.Event{Sequence: first + int64(i), Data: events[i].Data}); err != nil {
						t.Fatal(err)
					}
				}
			}
			for filled := 0; filled < test.fill; {
				lines := make([]string, 0, 200)
				for range cap(lines) {
					lines = append(lines, line("set", w.key(), filled))
					filled++
				}
				follow(nodes[0], []event.Event{script(t, lines...), script(t, lines[:3]...)})
			}
			for round := range test.rounds {
				follow(nodes[w.random.IntN(2)], w.events(t, 1+w.random.IntN(test.batch)))
				askBoth(t, nodes, log, w, model)
				if round%8 == 7 {
					nodes[0].Stop(t)
					nodes[0] = testrig.Start(t, d.DSN(), settings)
				}
			}
			testrig.Check(t, d.DSN())
		})
	}
}

func askBoth(t *testing.T, nodes []*testrig.Node, log uuid.UUID, w writing, model *testrig.Script) {
	t.Helper()
	for range 6 {
		query := "get\t" + w.key()
		if w.random.IntN(2) == 0 {
			query = "scan\t" + w.scan()
		}
		for i, node := range nodes {
			if got, want := string(node.Ask(t, log, "s", query).Body), model.Answer(query); got != want {
				t.Errorf("server %d answers %q with %s, want %s; there are %d keys", i, query, got, want, model.Len())
			}
		}
	}
}

// TestStateLargerThanTheCache gives a server next to no memory for state: it must still be right.
func TestStateLargerThanTheCache(t *testing.T) {
	d := testdb.New(t)
	small, large := testrig.Start(t, d.DSN(), testrig.Settings{CacheBytes: 1}), testrig.Start(t, d.DSN(), testrig.Settings{})
	logs := []uuid.UUID{small.NewLog(t), small.NewLog(t)}
	w := writing{rand.New(rand.NewPCG(13, 1)), 5}
	for _, log := range logs {
		small.Deploy(t, log, "s", testrig.Scripted(), "{}")
	}
	for i := range 30 {
		node := []*testrig.Node{small, large}[i%3/2]
		node.Append(t, logs[i%2], w.events(t, 5)...)
	}
	testrig.Check(t, d.DSN())
}

// TestManyWritesInOneBatch sets more keys in one transaction than a server remembers between two.
func TestManyWritesInOneBatch(t *testing.T) {
	node, d := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "s", testrig.Scripted(), "{}")
	lines := make([]string, 4500)
	batch := make([]event.Event, 4)
	for i := range batch {
		for j := range lines {
			lines[j] = line("set", fmt.Sprintf("k%d-%05d", i, j), strings.Repeat("1", 1+j%10))
		}
		batch[i] = script(t, append(lines, line("scan", fmt.Sprintf("k%d", i), "", 5000, 1000, "seen"))...)
	}
	node.Append(t, log, batch...)
	for i := range 3 {
		node.Append(t, log, script(t,
			line("delete", fmt.Sprintf("k%d-00007", i)), line("copy", "k1-00003", "k2-00004"), line("scan", "k", "", 30, 4, "again")))
	}
	testrig.Check(t, d.DSN())
}
