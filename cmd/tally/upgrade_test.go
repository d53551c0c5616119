package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// A phase lasts so long, or until clients have sent so much more, whatever comes last.
const (
	upgradePhase   = 5 * time.Second
	upgradeAppends = 500
	upgradeLogs    = 10
	quietLog       = 9 // to which clients send nothing: servers learn of its events from one another
	upgradeClients = 8
)

// upgradeLoad is what clients send while servers come and go: events with keys of their own, each until a server has taken it.
type upgradeLoad struct {
	t       *testing.T
	servers atomic.Pointer[[]*process]
	stop    chan struct{}
	clients sync.WaitGroup
	appends, events, queries,
	retries atomic.Int64
	mu      sync.Mutex
	refused map[string]int // by phase and what came instead
	phase   string
	slowest time.Duration // from the first attempt to the answer, in this phase
	sent    [upgradeLogs]atomic.Int64
}

// TestUpgradeUnderLoad replaces a server of an earlier version by one of this version, on one database, while clients go on sending events
// to whichever runs. TALLY_UPGRADE_FROM names the earlier program; `make upgrade-check` builds it.
func TestUpgradeUnderLoad(t *testing.T) {
	program := os.Getenv("TALLY_UPGRADE_FROM")
	if program == "" {
		t.Skip("TALLY_UPGRADE_FROM names no program of an earlier version: make upgrade-check builds one")
	}
	dsn := testdb.New(t, testdb.WithFsync(), testdb.Empty()).DSN()
	former := serving(t, func(cmd *exec.Cmd) { cmd.Path = program }, serve(dsn)...)
	for log := range upgradeLogs {
		if _, err := former.post(t.Context(), "/logs", fmt.Sprintf(`{"name":"log-%d"}`, log), ""); err != nil {
			t.Fatal(err)
		}
		view := fmt.Sprintf("/logs/log-%d/views/totals", log)
		if _, err := former.post(t.Context(), view, string(views.MonthlyTotals()), ""); err != nil {
			t.Fatal(err)
		}
	}
	load := &upgradeLoad{t: t, stop: make(chan struct{}), refused: map[string]int{}}
	load.servers.Store(&[]*process{former})
	for client := range upgradeClients {
		load.clients.Go(func() { load.run(client) })
	}
	defer load.clients.Wait()
	defer func() { // where the test ends early
		select {
		case <-load.stop:
		default:
			close(load.stop)
		}
	}()

	load.during("the former version alone", load.goOn)
	var present, watcher *process
	load.during("this version starts, and migrates", func() {
		present = serving(t, nil, serve(dsn)...)
	})
	load.servers.Store(&[]*process{former, present})
	load.during("both", func() {
		// What either does, the other one answers for.
		for i, p := range []*process{former, present} {
			view := fmt.Sprintf("/logs/log-%d/views/later", i)
			if _, err := p.post(t.Context(), view, string(views.MonthlyTotals()), ""); err != nil {
				t.Error(err)
			}
			for _, other := range []*process{former, present} {
				other.becomes(http.StatusOK, key, view+"/query")
			}
		}
		watcher = start(t, nil, "events", "tail", "log-9", "--from", "1", "--url", present.url)
		load.lag("from the former version to this one", former, watcher)
		there := start(t, nil, "events", "tail", "log-9", "--from", "1", "--url", former.url)
		load.lag("from this version to the former one", present, there)
		there.signal(syscall.SIGTERM)
		there.wait()
		load.goOn()
	})
	load.during("the former version stops", func() {
		load.servers.Store(&[]*process{present, former}) // clients that have not heard of it go on asking both
		former.signal(syscall.SIGTERM)
		if status := former.wait(); status != 0 {
			t.Errorf("the former version ended with %d:\n%s", status, former.output)
		}
	})
	load.servers.Store(&[]*process{present})
	load.during("this version alone", load.goOn)
	close(load.stop)
	load.clients.Wait()
	load.check(present, dsn)
	head := load.sent[quietLog].Load()
	watcher.says(fmt.Sprintf(`"sequence":%d,`, head))
	var shown, want []string
	for line := range strings.Lines(watcher.output.String()) {
		if strings.HasPrefix(line, "{") {
			shown = append(shown, line)
		}
	}
	for sequence := range head {
		want = append(want, fmt.Sprint(sequence+1))
	}
	if got := sequences(t, strings.Join(shown, "")); got != strings.Join(want, " ") {
		t.Errorf("a watcher was shown %s; there are %d events", got, head)
	}
}

// lag logs how long it takes until a watcher of one server is shown what was appended by the other.
func (l *upgradeLoad) lag(which string, by, watcher *process) {
	l.t.Helper()
	var longest time.Duration
	for range 5 {
		a, err := by.post(l.t.Context(), "/logs/log-9/append", `{"model":"m","tokens_in":1}`, "")
		if err != nil {
			l.t.Fatal(err)
		}
		acknowledged := time.Now()
		l.events.Add(1)
		l.sent[quietLog].Add(1)
		watcher.says(fmt.Sprintf(`"sequence":%d,`, a.Sequence))
		longest = max(longest, time.Since(acknowledged))
	}
	l.t.Logf("a watcher learns of an event %s within %d ms", which, longest.Milliseconds())
}

// during names what is done meanwhile, and logs what it did to clients.
func (l *upgradeLoad) during(phase string, do func()) {
	l.t.Helper()
	l.mu.Lock()
	l.phase, l.slowest = phase, 0
	l.mu.Unlock()
	began, appends, queries, retries := time.Now(), l.appends.Load(), l.queries.Load(), l.retries.Load()
	do()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Logf("%s: %.1f s, %d appends, %d queries, %d retries, the slowest took %d ms", phase, time.Since(began).Seconds(),
		l.appends.Load()-appends, l.queries.Load()-queries, l.retries.Load()-retries, l.slowest.Milliseconds())
}

// goOn waits while clients send.
func (l *upgradeLoad) goOn() {
	l.t.Helper()
	until, enough := time.Now().Add(upgradePhase), l.appends.Load()+upgradeAppends
	waitFor(l.t, func() bool { return time.Now().After(until) && l.appends.Load() >= enough })
}

func (l *upgradeLoad) run(client int) {
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		default:
		}
		log := (client + n) % quietLog
		path := fmt.Sprintf("/logs/log-%d", log)
		if n%5 == 4 {
			if l.send(n, path+"/views/totals/query", "", "") {
				l.queries.Add(1)
			}
			continue
		}
		events, path, body := 1, path+"/append", fmt.Sprintf(`{"model":"m","tokens_in":1,"n":"%d-%d"}`, client, n)
		if n%5 == 3 {
			events, path, body = 10, path+"_batch", strings.Repeat(body+"\n", 10)
		}
		if !l.send(n, path, body, fmt.Sprintf("%d-%d", client, n)) {
			return
		}
		l.appends.Add(1)
		l.events.Add(int64(events))
		l.sent[log].Add(int64(events))
	}
}

// send sends a request to one server after the other until one has taken it.
func (l *upgradeLoad) send(n int, path, body, idempotencyKey string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.t.Context()), patience)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	began := time.Now()
	for ; ; n++ {
		servers := *l.servers.Load()
		p := servers[n%len(servers)]
		_, err := p.post(ctx, path, body, idempotencyKey)
		l.mu.Lock()
		if err == nil {
			l.slowest = max(l.slowest, time.Since(began))
			l.mu.Unlock()
			return true
		}
		l.retries.Add(1)
		what := l.phase + ": " + strings.ReplaceAll(err.Error(), p.url, "")
		l.refused[what]++
		l.mu.Unlock()
		if ctx.Err() != nil {
			l.t.Errorf("failed for good: %s", what)
			return false
		}
		<-tick.C
	}
}

// check compares what was acknowledged with what there is.
func (l *upgradeLoad) check(p *process, dsn string) {
	l.t.Helper()
	for what, n := range l.refused {
		l.t.Logf("%d× %.300s", n, what)
	}
	logs := testrig.Check(l.t, dsn)
	stored := int64(0)
	for _, log := range logs {
		stored += int64(len(log.Events))
	}
	if stored != l.events.Load() || len(logs) != upgradeLogs {
		l.t.Errorf("%d events in %d logs are stored; %d in %d were acknowledged", stored, len(logs), l.events.Load(), upgradeLogs)
	}
	l.t.Logf("%d events acknowledged, %d stored", l.events.Load(), stored)
	for log := range upgradeLogs {
		name := fmt.Sprintf("log-%d", log)
		status, text := p.get(key, "/logs/"+name)
		var head struct{ Sequence int64 }
		if err := json.Unmarshal([]byte(text), &head); err != nil || status != http.StatusOK || head.Sequence != l.sent[log].Load() {
			l.t.Errorf("%s: %d: %s (%v); %d events were acknowledged", name, status, text, err, l.sent[log].Load())
		}
		succeeds(l.t, l.t.TempDir(), []string{"verify", name, "--url", p.url}, "the chain is whole")
	}
}
