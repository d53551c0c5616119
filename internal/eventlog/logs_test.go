package eventlog_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

func openLogs(t *testing.T, d *testdb.Database) *eventlog.Logs {
	t.Helper()
	database, err := db.Open(t.Context(), db.Config{URL: d.DSN(), AppendConns: 1, ReadConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	return eventlog.NewLogs(database)
}

func TestNames(t *testing.T) {
	for _, name := range []string{
		"a", "7", "customer-acme-usage", "A.b_c:d@e+f=g~h-", strings.Repeat("x", eventlog.MaxNameBytes),
		"018f4f3c-0000-7000-8000-00000000000",
	} {
		if err := eventlog.CheckName("the name", name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "-a", ".a", "a b", "a/b", "a%b", "a\n", "a\x00", "é", "a?b", "a#b", strings.Repeat("x", eventlog.MaxNameBytes+1),
		"018f4f3c-0000-7000-8000-000000000001", "018F4F3C-0000-7000-8000-000000000001",
	} {
		var invalid *event.InvalidError
		if err := eventlog.CheckName("the name", name); !errors.As(err, &invalid) || invalid.Code != "invalid_name" {
			t.Errorf("%q: %v, want code invalid_name", name, err)
		}
	}
}

func TestCreateFindAndList(t *testing.T) {
	d := testdb.New(t)
	logs, other := openLogs(t, d), openLogs(t, d)
	labels := map[string]string{"team": "search", "odd \" \\ ": "größe", "": ""}
	created, err := logs.Create(t.Context(), db.DefaultTenant, "acme_1", labels)
	if err != nil {
		t.Fatal(err)
	}
	if created.Head.Sequence != 0 || created.Head.Hash != event.Genesis(created.ID) || created.Head.RecordedAt == 0 {
		t.Errorf("an empty log's head is %+v", created.Head)
	}
	for _, l := range []*eventlog.Logs{logs, other, other} { // read, and then remembered
		for _, ref := range []string{"acme_1", created.ID.String()} {
			found, err := l.Resolve(t.Context(), db.DefaultTenant, ref)
			if want := (eventlog.Ref{ID: created.ID, Name: created.Name}); err != nil || found != want {
				t.Errorf("%s is %v, %v", ref, found, err)
			}
		}
		got, err := l.Get(t.Context(), db.DefaultTenant, created.ID)
		if err != nil || got.Name != "acme_1" || !maps.Equal(got.Labels, labels) ||
			got.Head != created.Head || !got.CreatedAt.Equal(created.CreatedAt) {
			t.Errorf("read back as %+v, %v", got, err)
		}
	}
	// Nobody else's tenant sees it, by name or id, and the name is free there only if that tenant exists.
	stranger := uuid.New()
	for _, ref := range []string{"acme_1", created.ID.String(), "nothing", uuid.New().String(), "", "a b"} {
		if id, err := logs.Resolve(t.Context(), stranger, ref); !errors.Is(err, eventlog.ErrLogNotFound) {
			t.Errorf("a stranger's %q is %v, %v", ref, id, err)
		}
	}
	if _, err := logs.Get(t.Context(), stranger, created.ID); !errors.Is(err, eventlog.ErrLogNotFound) {
		t.Errorf("a stranger reads the log: %v", err)
	}
	for _, name := range []string{"acmeX1", "acme%", "bolt"} {
		if _, err := logs.Create(t.Context(), db.DefaultTenant, strings.ReplaceAll(name, "%", "~"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for prefix, want := range map[string]string{
		"": "acme_1 acmeX1 acme~ bolt", "acme": "acme_1 acmeX1 acme~", "acme_": "acme_1", "acme%": "", "z": "",
	} {
		var all []string
		for after := ""; ; { // page by page
			listing := eventlog.Listing{Prefix: prefix, After: after, Logs: "*", Limit: 1}
			page, err := logs.List(t.Context(), db.DefaultTenant, listing, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			after = page[0].Name
			all = append(all, after)
		}
		if got := fmt.Sprint(len(all), all); got != fmt.Sprint(len(strings.Fields(want)), inOrderOf(all, want)) {
			t.Errorf("logs that start with %q: %v, want %s", prefix, all, want)
		}
	}
}

// inOrderOf is the words of want in the order of got, where they are the same words: the database's collation decides
// how names sort.
func inOrderOf(got []string, want string) []string {
	words := map[string]bool{}
	for _, word := range strings.Fields(want) {
		words[word] = true
	}
	for _, name := range got {
		if !words[name] {
			return strings.Fields(want)
		}
		delete(words, name)
	}
	if len(words) > 0 {
		return strings.Fields(want)
	}
	return got
}

// TestNameIsTakenOnce lets many clients of two servers create one log: one does, the others are told which it is.
func TestNameIsTakenOnce(t *testing.T) {
	d := testdb.New(t)
	servers := []*eventlog.Logs{openLogs(t, d), openLogs(t, d)}
	var mu sync.Mutex
	made, told := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			log, err := servers[i%2].Create(t.Context(), db.DefaultTenant, "acme", nil)
			mu.Lock()
			defer mu.Unlock()
			var taken *eventlog.NameTakenError
			switch {
			case err == nil:
				made[log.ID]++
			case errors.As(err, &taken):
				told[taken.LogID]++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(made) != 1 || len(told) != 1 {
		t.Fatalf("made %v, told %v", made, told)
	}
	for id := range made {
		if told[id] != 11 {
			t.Errorf("made %v, told %v", made, told)
		}
	}
}

func TestLabelsAreLimited(t *testing.T) {
	logs := openLogs(t, testdb.New(t))
	many := map[string]string{}
	for i := range eventlog.MaxLabels + 1 {
		many[fmt.Sprint(i)] = ""
	}
	long := strings.Repeat("x", eventlog.MaxLabelBytes+1)
	for _, labels := range []map[string]string{many, {long: ""}, {"a": long}, {"a\x00": ""}, {"a": "\xff"}, {"a": "\n"}} {
		var invalid *event.InvalidError
		_, err := logs.Create(t.Context(), db.DefaultTenant, "acme", labels)
		if !errors.As(err, &invalid) || invalid.Code != "invalid_labels" {
			t.Errorf("%.40v: %v, want code invalid_labels", labels, err)
		}
	}
	delete(many, "0")
	if _, err := logs.Create(t.Context(), db.DefaultTenant, "acme", many); err != nil {
		t.Error(err)
	}
}

// TestCreatingIsSettled has COMMIT answered with an error after the fact: the log is made once, and the answer is the log. Where nobody
// can find out, that is the answer.
func TestCreatingIsSettled(t *testing.T) {
	d := testdb.New(t)
	w := testrig.NewWire(t, d.DSN())
	node := testrig.Start(t, w.DSN, testrig.Settings{NoBuilder: true})
	node.NewLog(t)
	w.FailCommit(0, "XX000")
	log, err := node.Logs.Create(t.Context(), db.DefaultTenant, "doubtful", map[string]string{"plan": "gold"})
	if err != nil || !w.Done() {
		t.Fatalf("%v, done: %t", err, w.Done())
	}
	found, err := node.Logs.Get(t.Context(), db.DefaultTenant, log.ID)
	if err != nil || !reflect.DeepEqual(found, log) {
		t.Errorf("created as %+v, found as %+v, %v", log, found, err)
	}
	var taken *eventlog.NameTakenError
	if _, err := node.Logs.Create(t.Context(), db.DefaultTenant, "doubtful", nil); !errors.As(err, &taken) || taken.LogID != log.ID {
		t.Errorf("created again: %v", err)
	}
	node.Append(t, log.ID, testrig.Parse(t, `{}`, ""))

	d.Exec(t, `CREATE FUNCTION lose_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
		$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
	d.Exec(t, `CREATE CONSTRAINT TRIGGER lose_commit AFTER INSERT ON log_heads DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION lose_commit()`)
	if log, err := node.Logs.Create(t.Context(), db.DefaultTenant, "lost", nil); !errors.Is(err, db.ErrOutcomeUnknown) {
		t.Errorf("a commit that is lost every time: %+v, %v", log, err)
	}
	testrig.Check(t, d.DSN())
}
