package view_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestQueriesAreBooked: what a query reads is booked before it is held, page by page, and given back: a state larger than the room can
// be asked, one page of which is not. In the end the answer alone is booked.
func TestQuestionsAreBooked(t *testing.T) {
	const mib, keys = 1 << 20, 160
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	node.Deploy(t, log, "v", testrig.Scripted(), "{}")
	model := testrig.NewScript()
	for i := range keys { // 8 MB, of which memory holds nothing
		set := line("set", fmt.Sprintf("k%03d", i), `"`+strings.Repeat("x", 50<<10)+`"`)
		if err := model.Run(set); err != nil {
			t.Fatal(err)
		}
		node.Append(t, log, script(t, set))
	}
	ask := func(book *memory.Book, query string) (view.Answer, error) {
		room := book.Hold()
		answer, err := node.Views.Query(t.Context(), log, "v", query, room)
		if held := room.Used(); err == nil && held != int64(len(answer.Body)) || book.Peak() == 0 {
			t.Errorf("%q: %d bytes are booked in the end for an answer of %d, %d were", query, held, len(answer.Body), book.Peak())
		}
		room.Release()
		if book.Held() != 0 {
			t.Errorf("%q: %d bytes stay booked", query, book.Held())
		}
		return answer, err
	}
	all := line("scan", "k", "", keys, 8)
	book := memory.NewBook(6*mib, 0, 0)
	if answer, err := ask(book, all); err != nil || string(answer.Body) != model.Answer(all) {
		t.Errorf("all of it: %s, %v", answer.Body, err)
	}
	if peak := book.Peak(); peak < 8*50<<10 {
		t.Errorf("%d bytes were booked", peak)
	}
	if _, err := ask(memory.NewBook(256<<10, 0, 0), all); !errors.Is(err, memory.ErrFull) {
		t.Errorf("without room for a page: %v", err)
	}
	one := line("get", "k007")
	if answer, err := ask(memory.NewBook(mib, 0, 0), one); err != nil || string(answer.Body) != model.Answer(one) {
		t.Errorf("one key: %d bytes, %v", len(answer.Body), err)
	}
	if _, err := ask(memory.NewBook(64<<10, 0, 0), one); !errors.Is(err, memory.ErrFull) {
		t.Errorf("without room for a value and the answer: %v", err)
	}
}

// TestListsAreBooked: what a list reads is booked before it is held.
func TestListsAreBooked(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	log := node.NewLog(t)
	long := func(name string) string { // 60 KB
		prices := make([]string, 1000)
		for i := range prices {
			prices[i] = fmt.Sprintf(`"%s-%04d":{"tokens_in":"1.5","tokens_out":"0.0001"}`, name, i)
		}
		return `{"prices":{` + strings.Join(prices, ",") + `}}`
	}
	for i := range 4 {
		node.Deploy(t, log, fmt.Sprint("v", i), views.CostByTeam(), long("model"))
		node.Deploy(t, log, "v0", views.CostByTeam(), long(fmt.Sprint("n", i)))
	}
	deployment := view.Deployment{Code: views.CostByTeam(), Config: []byte(long("model"))}
	for i := range 4 {
		if _, err := node.Views.DeployPattern(t.Context(), db.DefaultTenant, fmt.Sprint("p", i), "none-*", deployment); err != nil {
			t.Fatal(err)
		}
	}
	for range 1200 {
		labels := map[string]string{"label": strings.Repeat("x", 200)}
		if _, err := node.Logs.Create(t.Context(), db.DefaultTenant, "named-"+uuid.New().String(), labels); err != nil {
			t.Fatal(err)
		}
	}
	for name, list := range map[string]func(*memory.Hold) (int, error){
		"views": func(room *memory.Hold) (int, error) {
			infos, err := node.Views.List(t.Context(), log, room)
			return len(infos), err
		},
		"versions": func(room *memory.Hold) (int, error) {
			infos, err := node.Views.Versions(t.Context(), log, "v0", 0, 100, room)
			return len(infos), err
		},
		"patterns": func(room *memory.Hold) (int, error) {
			infos, err := node.Views.Patterns(t.Context(), db.DefaultTenant, room)
			return len(infos), err
		},
		"logs": func(room *memory.Hold) (int, error) {
			logs, err := node.Logs.List(t.Context(), db.DefaultTenant, eventlog.Listing{Prefix: "named-", Logs: "*", Limit: 1200}, room)
			return len(logs), err
		},
	} {
		book := memory.NewBook(1<<20, 0, 0)
		room := book.Hold()
		if n, err := list(room); n < 4 || err != nil || room.Used() < 200<<10 {
			t.Errorf("%d %s, %v: %d bytes are booked", n, name, err, room.Used())
		}
		if n, err := list(memory.NewBook(200<<10, 0, 0).Hold()); !errors.Is(err, memory.ErrFull) {
			t.Errorf("%d %s without room, %v", n, name, err)
		}
	}
}
