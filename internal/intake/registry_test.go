package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// patience turns a hang into a failure.
const patience = time.Minute

var somebody = access.Actor{Name: "somebody", KeyID: "0123456789abcdef"}

// rig is a database with a registry, and those of other servers.
type rig struct {
	*Registry

	t        *testing.T
	database *testdb.Database
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, database: testdb.New(t)}
	r.Registry = r.server()
	return r
}

// server returns the registry of another server.
func (r *rig) server() *Registry {
	r.t.Helper()
	d, err := db.Open(r.t.Context(), db.Config{URL: r.database.DSN(), ReadConns: 4, AppendConns: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(d.Close)
	return NewRegistry(d)
}

// mappingTo returns a mapping that sends everything to a log.
func mappingTo(log string) []byte {
	return fmt.Appendf(nil, `{"log": %q, "id": "{/id}", "keep": true}`, log)
}

func (r *rig) put(name, log string) *Source {
	r.t.Helper()
	put, changed, err := r.Put(r.t.Context(), somebody, db.DefaultTenant, name, mappingTo(log))
	if err != nil || !changed {
		r.t.Fatalf("putting %s: changed %v, %v", name, changed, err)
	}
	return put
}

// version returns the version that a server goes by; -1 if it knows no such source.
func version(t *testing.T, r *Registry, name string) int64 {
	t.Helper()
	got, err := r.Get(t.Context(), db.DefaultTenant, name)
	if errors.Is(err, ErrSourceNotFound) {
		return -1
	} else if err != nil {
		t.Fatal(err)
	}
	if got.Name != name || got.Mapping == nil {
		t.Fatalf("asked for %s, got %+v", name, got)
	}
	return got.Version
}

// becomes waits until a server goes by a version, and fails if it has gone by another for longer than believedFor since before it asked.
func becomes(t *testing.T, r *Registry, name string, want int64) {
	t.Helper()
	for changed := time.Now(); ; {
		asked := time.Now()
		got := version(t, r, name)
		if got == want {
			return
		}
		if asked.Sub(changed) > believedFor {
			t.Fatalf("%v after the change, %s has version %d, not %d", asked.Sub(changed), name, got, want)
		}
	}
}

func TestDefaultSource(t *testing.T) {
	r := newRig(t)
	first, err := r.Get(t.Context(), db.DefaultTenant, DefaultSource)
	if err != nil || first.Version != 0 || first.Mapping == nil || string(first.Sent) != defaultMapping {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := r.Delete(t.Context(), somebody, db.DefaultTenant, DefaultSource); !errors.Is(err, ErrSourceNotFound) {
		t.Errorf("nobody has put it, and deleting it: %v", err)
	}
	r.put(DefaultSource, "everything")
	if got := version(t, r.Registry, DefaultSource); got != 1 {
		t.Errorf("version %d", got)
	}
	if err := r.Delete(t.Context(), somebody, db.DefaultTenant, DefaultSource); err != nil {
		t.Fatal(err)
	}
	again, err := r.Get(t.Context(), db.DefaultTenant, DefaultSource)
	if err != nil || again.Version != 0 || again.Mapping != first.Mapping {
		t.Errorf("after it was deleted: %+v, %v", again, err)
	}
	if put := r.put(DefaultSource, "everything"); put.Version != 3 {
		t.Errorf("put again as version %d", put.Version)
	}
}

// TestOtherServers: what one server changes holds there at once and on another within a second, whatever that had in memory.
func TestOtherServers(t *testing.T) {
	r := newRig(t)
	other := r.server()
	if version(t, other, "gateway") != -1 {
		t.Fatal("it is there before it was put")
	}
	for round := int64(1); round <= 6; round += 2 {
		r.put("gateway", fmt.Sprintf("log-%d", round))
		if got := version(t, r.Registry, "gateway"); got != round {
			t.Fatalf("version %d where %d was just put", got, round)
		}
		becomes(t, other, "gateway", round)
		if err := r.Delete(t.Context(), somebody, db.DefaultTenant, "gateway"); err != nil {
			t.Fatal(err)
		}
		if got := version(t, r.Registry, "gateway"); got != -1 {
			t.Fatalf("version %d of what was just deleted", got)
		}
		becomes(t, other, "gateway", -1)
	}
}

// TestAnsweredFromMemory: asking again and again costs the database a question now and then, not one each; another source's change has only
// that one looked up; and whoever asks gets the same mapping.
func TestAnsweredFromMemory(t *testing.T) {
	r := newRig(t)
	r.put("one", "log")
	other := r.server()
	first, err := other.Get(t.Context(), db.DefaultTenant, "one")
	if err != nil {
		t.Fatal(err)
	}
	began, asked, paused := time.Now(), 0, false
	for last := began; asked < 1000 || time.Since(began) < 2*refreshAfter; asked++ {
		paused = paused || time.Since(last) > followFor/2 // the machine has: it may have had to forget everything
		last = time.Now()
		if asked == 500 {
			r.put("two", "log")
		}
		got, err := other.Get(t.Context(), db.DefaultTenant, "one")
		if err != nil || got != first {
			t.Fatalf("%+v, %v", got, err)
		}
		if version(t, other, "absent") != -1 {
			t.Fatal("there is no such source")
		}
	}
	lookups, refreshes := other.Stats.Lookups.Load(), other.Stats.Refreshes.Load()
	if most := int64(time.Since(began)/refreshAfter) + 2; refreshes > most || refreshes < 2 {
		t.Errorf("in %v it asked %d times whether anything has changed, at most %d are due", time.Since(began), refreshes, most)
	}
	if lookups != 2 && !paused {
		t.Errorf("%d lookups for %d questions after two names", lookups, 2*asked)
	}
}

// TestVersions: each change is a version, what changes nothing is none, and each can be read for ever.
func TestVersions(t *testing.T) {
	r := newRig(t)
	first := r.put("gateway", "a")
	same, changed, err := r.Put(t.Context(), access.Actor{Name: "else"}, db.DefaultTenant, "gateway", append(mappingTo("a"), ' '))
	if err != nil || changed || same.Version != 1 || same.CreatedBy != "somebody" || !same.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("the same mapping again: %v, %+v, %v", changed, same, err)
	}
	r.put("gateway", "b")
	r.put("gateway", "a")
	if err := r.Delete(t.Context(), somebody, db.DefaultTenant, "gateway"); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), somebody, db.DefaultTenant, "gateway"); !errors.Is(err, ErrSourceNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	r.put("gateway", "c")
	var seen []int64
	for before := int64(0); ; {
		page, err := r.Versions(t.Context(), db.DefaultTenant, "gateway", before, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			seen = append(seen, v.Version)
			if v.Deleted != (v.Version == 4) || v.CreatedBy != "somebody" {
				t.Errorf("%+v", v)
			}
		}
		before = page[len(page)-1].Version
	}
	if fmt.Sprint(seen) != "[5 4 3 2 1]" {
		t.Errorf("versions %v", seen)
	}
	for number, log := range map[int64]string{1: "a", 2: "b", 3: "a", 5: "c"} {
		v, err := r.Version(t.Context(), db.DefaultTenant, "gateway", number)
		if err != nil || string(v.Sent) != string(mappingTo(log)) || v.Mapping == nil {
			t.Errorf("version %d: %+v, %v", number, v, err)
		}
	}
	if v, err := r.Version(t.Context(), db.DefaultTenant, "gateway", 4); err != nil || v.Mapping != nil || v.Sent != nil {
		t.Errorf("the version that deleted it: %+v, %v", v, err)
	}
	if _, err := r.Version(t.Context(), db.DefaultTenant, "gateway", 6); !errors.Is(err, ErrVersionNotFound) {
		t.Errorf("a version that there is not: %v", err)
	}
	if _, err := r.Versions(t.Context(), db.DefaultTenant, "never", 0, 10, nil); !errors.Is(err, ErrSourceNotFound) {
		t.Errorf("versions of what never was: %v", err)
	}
}

// TestConcurrentPuts: every change gets a number of its own, with no gap, whichever server makes it, and the last one holds everywhere.
func TestConcurrentPuts(t *testing.T) {
	r := newRig(t)
	servers := []*Registry{r.Registry, r.server(), r.server()}
	const each = 10
	var putting sync.WaitGroup
	var mu sync.Mutex
	made := map[int64]string{}
	for n, server := range servers {
		putting.Go(func() {
			for i := range each {
				log := fmt.Sprintf("log-%d-%d", n, i)
				put, changed, err := server.Put(t.Context(), somebody, db.DefaultTenant, "gateway", mappingTo(log))
				if err != nil || !changed {
					t.Errorf("changed %v, %v", changed, err)
					continue
				}
				mu.Lock()
				made[put.Version] = log
				mu.Unlock()
				if got := version(t, server, "gateway"); got < put.Version {
					t.Errorf("version %d after %d was put", got, put.Version)
				}
			}
		})
	}
	putting.Wait()
	last := int64(len(servers) * each)
	for number := int64(1); number <= last; number++ {
		v, err := r.Version(t.Context(), db.DefaultTenant, "gateway", number)
		if err != nil || string(v.Sent) != string(mappingTo(made[number])) {
			t.Errorf("version %d was put as %q: %+v, %v", number, made[number], v, err)
		}
	}
	for _, server := range servers {
		becomes(t, server, "gateway", last)
	}
}

func TestHostileSources(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{
		"", "-x", "a/b", "a b", "ä", "x\x00", "'; DROP TABLE sources; --", strings.Repeat("x", 201), uuid.New().String(),
	} {
		var invalid *event.InvalidError
		_, _, err := r.Put(t.Context(), somebody, db.DefaultTenant, name, mappingTo("log"))
		if !errors.As(err, &invalid) || invalid.Code != "invalid_name" {
			t.Errorf("putting %q: %v", name, err)
		}
		if _, err := r.Get(t.Context(), db.DefaultTenant, name); !errors.Is(err, ErrSourceNotFound) {
			t.Errorf("getting %q: %v", name, err)
		}
	}
	for _, mapping := range []string{
		"", "null", "[]", `"x"`, "{", `{}`, `{"log": 3}`, `{"log": "x"} {}`, `{"ready": "no-such-gateway"}`,
		`{"log": "` + strings.Repeat("x", MaxMappingBytes) + `"}`, strings.Repeat(`{"log":`, 10_000), "{\"log\": \"\xff\"}",
	} {
		var invalid *event.InvalidError
		_, _, err := r.Put(t.Context(), somebody, db.DefaultTenant, "gateway", []byte(mapping))
		if !errors.As(err, &invalid) || invalid.Code != "invalid_mapping" || invalid.Detail == "" {
			t.Errorf("putting %.40q: %v", mapping, err)
		}
	}
	if got := version(t, r.Registry, "gateway"); got != -1 {
		t.Errorf("something of that was stored: version %d", got)
	}
}

// TestTooManySources: the bound is on the sources that there are, also when several servers add to them at once.
func TestTooManySources(t *testing.T) {
	r := newRig(t)
	r.database.Exec(t, fmt.Sprintf("INSERT INTO sources (tenant_id, name, version, deleted, changed) "+
		"SELECT '%s', 'filler-' || n, 1, false, 0 FROM generate_series(1, %d) n", db.DefaultTenant, MaxSources-1))
	servers := []*Registry{r.Registry, r.server()}
	errs := make([]error, 6)
	var putting sync.WaitGroup
	for i := range errs {
		putting.Go(func() {
			_, _, errs[i] = servers[i%2].Put(t.Context(), somebody, db.DefaultTenant, fmt.Sprintf("more-%d", i), mappingTo("log"))
		})
	}
	putting.Wait()
	put := ""
	for i, err := range errs {
		switch {
		case err == nil && put == "":
			put = fmt.Sprintf("more-%d", i)
		case !errors.Is(err, ErrTooManySources):
			t.Errorf("source %d: %v", i, err)
		}
	}
	r.put(put, "another-log") // what is there may be changed
	if err := r.Delete(t.Context(), somebody, db.DefaultTenant, put); err != nil {
		t.Fatal(err)
	}
	r.put("instead", "log")
	list, err := r.List(t.Context(), db.DefaultTenant, "filler-", 1, nil)
	if err != nil || len(list) != 1 || list[0].Name != "instead" || list[0].Version != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestTenantsOfSources: a name is another source in another tenant.
func TestTenantsOfSources(t *testing.T) {
	r := newRig(t)
	tenants := access.NewRegistry(r.db)
	globex, err := tenants.CreateTenant(t.Context(), somebody, "globex", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.put("gateway", "log")
	if _, err := r.Get(t.Context(), globex.ID, "gateway"); !errors.Is(err, ErrSourceNotFound) {
		t.Errorf("in another tenant: %v", err)
	}
	if _, _, err := r.Put(t.Context(), somebody, globex.ID, "gateway", mappingTo("theirs")); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), somebody, globex.ID, "gateway"); err != nil {
		t.Fatal(err)
	}
	if got := version(t, r.Registry, "gateway"); got != 1 {
		t.Errorf("version %d", got)
	}
	list, err := r.List(t.Context(), globex.ID, "", 10, nil)
	if err != nil || len(list) != 0 {
		t.Errorf("theirs: %+v, %v", list, err)
	}
	recorded, err := tenants.Recorded(t.Context(), globex.ID, 0, 10, nil)
	if err != nil || len(recorded) != 3 {
		t.Fatalf("%+v, %v", recorded, err)
	}
	for i, action := range []string{"source.delete", "source.put"} {
		if e := recorded[i]; e.Action != action || e.Target != "gateway" || e.Actor != somebody {
			t.Errorf("recorded: %+v", e)
		}
	}
}

// TestInvalidatedLookup: a lookup that read a source before it was changed must not be remembered after.
func TestInvalidatedLookup(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var racing sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		racing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := r.Get(ctx, db.DefaultTenant, "gateway"); err != nil && !errors.Is(err, ErrSourceNotFound) {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 100 {
		put := r.put("gateway", fmt.Sprintf("log-%d", i))
		if got := version(t, r.Registry, "gateway"); got != put.Version {
			t.Fatalf("version %d after %d was put", got, put.Version)
		}
	}
	close(stop)
	racing.Wait()
}
