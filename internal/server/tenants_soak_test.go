package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/views"
)

// soakFor is how long TestTwoTenants goes on unless TALLY_SOAK says otherwise, as make soak has it.
const soakFor = 8 * time.Second

// tenantClient sends requests with one key.
type tenantClient struct {
	t    *testing.T
	url  string
	key  string
	http *http.Client
}

// call returns the status and body of a response; an error only where there was none.
func (c *tenantClient) call(ctx context.Context, method, path string, body io.Reader) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// must is call for what has to succeed.
func (c *tenantClient) must(method, path, body string) []byte {
	c.t.Helper()
	status, answer, err := c.call(c.t.Context(), method, path, strings.NewReader(body))
	if err != nil || status >= http.StatusMultipleChoices {
		c.t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
	return answer
}

// newTenant makes a tenant and returns a client with a key of its own, which may do everything there.
func (c *tenantClient) newTenant(name string) *tenantClient {
	c.t.Helper()
	c.must(http.MethodPost, "/tenants", fmt.Sprintf(`{"name":%q}`, name))
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/keys",
		strings.NewReader(`{"name":"all","scopes":["append","read","query","deploy","admin"]}`))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Tally-Tenant", name)
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var made struct{ Key string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.Key == "" {
		c.t.Fatalf("making a key of %s: %s %v", name, response.Status, err)
	}
	return &tenantClient{c.t, c.url, made.Key, c.http}
}

// TestTwoTenants has one tenant misbehave in every way that it can while another one works: it appends with ids and retries, queries after
// each append, and follows a log. Of its events none is lost, doubled or late in its answers, and none of its requests fails. Latencies are
// printed. TALLY_SOAK=1h is the long form: make soak.
func TestTwoTenants(t *testing.T) {
	duration := soakFor
	if text := os.Getenv("TALLY_SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", testdb.New(t).DSN(), testrig.ModuleCache()
	config.AllowUnsafeDatabase, config.Keys, config.BootstrapKey = true, true, access.GenerateKey()
	config.Log = slog.New(slog.DiscardHandler) // refusals by the thousand
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	operator := &tenantClient{t, s.URL(), config.BootstrapKey, &http.Client{Transport: transport}}
	good := &workload{tenantClient: operator.newTenant("good")}
	bad := &misbehaviour{tenantClient: operator.newTenant("bad")}
	good.prepare()
	bad.prepare()

	good.run(duration / 4)
	quiet := good.latencies.take()
	ctx, cancel := context.WithCancel(t.Context())
	var misbehaving sync.WaitGroup
	for _, act := range bad.acts() {
		misbehaving.Go(func() {
			for ctx.Err() == nil {
				act(ctx)
			}
		})
	}
	good.run(duration - duration/4)
	cancel()
	misbehaving.Wait()
	beside := good.latencies.take()
	good.check()
	if bad.done.Load() == 0 || bad.refused.Load() == 0 {
		t.Errorf("the other tenant did %d and was refused %d: nothing was tried", bad.done.Load(), bad.refused.Load())
	}
	t.Logf("%d appends alone: %s; %d beside another tenant, which did %d and was refused %d times: %s",
		len(quiet), percentiles(quiet), len(beside), bad.done.Load(), bad.refused.Load(), percentiles(beside))
}

// latencies are gathered by several goroutines.
type latencies struct {
	mu    sync.Mutex
	taken []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = append(l.taken, d)
}

func (l *latencies) take() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.taken
	l.taken = nil
	slices.Sort(taken)
	return taken
}

func percentiles(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "none"
	}
	at := func(q float64) time.Duration {
		return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, max %v", at(0.5), at(0.99), at(1))
}

const (
	workLogs = 4
	// workEvery is the pause between a log's appends.
	workEvery = 20 * time.Millisecond
)

// workload is a tenant that works: each of its logs counts by a view.
type workload struct {
	*tenantClient

	latencies latencies
	appended  [workLogs]int // events of each log
	tokens    [workLogs]int
	followed  atomic.Int64 // the last sequence that the tail of log 0 has shown
}

func (w *workload) log(i int) string { return fmt.Sprintf("/logs/customer-%d", i) }

func (w *workload) prepare() {
	for i := range workLogs {
		w.must(http.MethodPost, "/logs", fmt.Sprintf(`{"name":"customer-%d"}`, i))
		w.must(http.MethodPost, w.log(i)+"/views/monthly-totals", string(views.MonthlyTotals()))
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+w.log(0)+"/tail?after=0", http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", w.key)
	response, err := w.http.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("following a log: %v %v", response, err)
	}
	var following sync.WaitGroup
	following.Go(func() { w.follow(response.Body) })
	w.t.Cleanup(func() {
		_ = response.Body.Close()
		following.Wait()
	})
}

// follow checks that no event is left out or comes twice.
func (w *workload) follow(stream io.Reader) {
	var buffer [64 << 10]byte
	var rest []byte
	for {
		n, err := stream.Read(buffer[:])
		rest = append(rest, buffer[:n]...)
		for {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if !whole {
				break
			}
			rest = after
			var sequence int64
			if _, err := fmt.Sscanf(string(line), "id: %d", &sequence); err == nil && sequence > 0 && sequence != w.followed.Load() {
				if want := w.followed.Load() + 1; sequence != want {
					w.t.Errorf("the tail shows event %d where %d was next", sequence, want)
				}
				w.followed.Store(sequence)
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *workload) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	var working sync.WaitGroup
	for i := range workLogs {
		working.Go(func() {
			for tick := time.NewTicker(workEvery); ctx.Err() == nil; {
				w.work(i)
				select {
				case <-tick.C:
				case <-ctx.Done():
					tick.Stop()
				}
			}
		})
	}
	working.Wait()
}

// work appends an event, sometimes twice, and asks for the total, which must have it.
func (w *workload) work(i int) {
	tokens := rand.IntN(1000)
	event := fmt.Sprintf(`{"id":"e%d","type":"api.call","time":"2025-03-01T00:00:00Z","model":"m","tokens_in":%d,"tokens_out":1}`,
		w.appended[i], tokens)
	began := time.Now()
	status, answer, err := w.call(w.t.Context(), http.MethodPost, w.log(i)+"/append", strings.NewReader(event))
	w.latencies.add(time.Since(began))
	if err != nil || status != http.StatusCreated {
		w.t.Errorf("an append of the tenant that does no wrong: %d %s %v", status, answer, err)
		return
	}
	w.appended[i]++
	w.tokens[i] += tokens
	if rand.IntN(10) == 0 {
		status, answer, err := w.call(w.t.Context(), http.MethodPost, w.log(i)+"/append", strings.NewReader(event))
		if err != nil || status != http.StatusOK || !bytes.Contains(answer, []byte(`"duplicate":true`)) {
			w.t.Errorf("a retry: %d %s %v", status, answer, err)
		}
	}
	w.checkTotal(i)
}

func (w *workload) checkTotal(i int) {
	status, answer, err := w.call(w.t.Context(), http.MethodGet, w.log(i)+"/views/monthly-totals/query?month=2025-03", http.NoBody)
	var total map[string]struct {
		In  int `json:"tokens_in"`
		Out int `json:"tokens_out"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &total)
	}
	if err != nil || status != http.StatusOK || total["m"].In != w.tokens[i] || total["m"].Out != w.appended[i] {
		w.t.Errorf("after %d events with %d tokens the total is %d %s %v", w.appended[i], w.tokens[i], status, answer, err)
	}
}

func (w *workload) check() {
	for i := range workLogs {
		w.checkTotal(i)
		var report struct {
			OK bool
			To int
		}
		answer := w.must(http.MethodGet, w.log(i)+"/verify", "")
		if err := json.Unmarshal(answer, &report); err != nil || !report.OK || report.To != w.appended[i] {
			w.t.Errorf("%d events were acknowledged, and the log is %s %v", w.appended[i], answer, err)
		}
	}
	want := int64(w.appended[0])
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); w.followed.Load() < want && time.Now().Before(deadline); {
		<-tick.C
	}
	if got := w.followed.Load(); got != want {
		w.t.Errorf("the tail has shown %d events of %d", got, want)
	}
}

// misbehaviour is a tenant that does what it can to be in the way.
type misbehaviour struct {
	*tenantClient

	done, refused atomic.Int64
	batch         string
}

func (m *misbehaviour) prepare() {
	m.must(http.MethodPost, "/logs", `{"name":"storm"}`)
	m.must(http.MethodPost, "/logs", `{"name":"slow"}`)
	m.must(http.MethodPost, "/logs/storm/views/monthly-totals", string(views.MonthlyTotals()))
	m.must(http.MethodPost, "/logs/slow/views/slow", string(testrig.Scripted()))
	m.batch = strings.Repeat(`{"type":"api.call","model":"m","tokens_in":1,"tokens_out":1}`+"\n", 2000)
}

// acts are the ways in which it is in the way; each is done again and again.
func (m *misbehaviour) acts() []func(context.Context) {
	post := func(path, body string) func(context.Context) {
		return func(ctx context.Context) { m.try(ctx, http.MethodPost, path, strings.NewReader(body)) }
	}
	acts := []func(context.Context){
		post("/logs/storm/append_batch", m.batch),
		post("/logs/slow/append_batch", strings.Repeat(`{"script":"spin\t50"}`+"\n", 50)),
		post("/logs/storm/append", `{"broken`),
		post("/logs/customer-0/append", "{}"), // the other tenant's
		post("/tenants", `{"name":"mine"}`),
		func(ctx context.Context) {
			m.try(ctx, http.MethodPost, "/logs/storm/views/v", strings.NewReader("\x00asm\x01\x00\x00\x00junk"))
		},
		func(ctx context.Context) { m.try(ctx, http.MethodGet, "/logs/storm/verify", http.NoBody) },
		func(ctx context.Context) { m.try(ctx, http.MethodGet, "/logs/storm/events?stream=true", http.NoBody) },
		m.guessKeys, m.openTails, m.claimBody,
	}
	for range 8 {
		acts = append(acts, post("/logs/storm/append", "{}"))
	}
	return acts
}

func (m *misbehaviour) try(ctx context.Context, method, path string, body io.Reader) {
	status, _, err := m.call(ctx, method, path, body)
	switch {
	case ctx.Err() != nil:
	case err != nil || status >= http.StatusBadRequest:
		m.refused.Add(1)
	default:
		m.done.Add(1)
	}
}

func (m *misbehaviour) guessKeys(ctx context.Context) {
	guess := *m.tenantClient
	guess.key = access.GenerateKey()
	if status, _, err := guess.call(ctx, http.MethodGet, "/logs", http.NoBody); err == nil && status != http.StatusUnauthorized {
		m.t.Errorf("a guessed key gets %d", status)
	}
	m.refused.Add(1)
}

// openTails opens streams that it does not read, and goes.
func (m *misbehaviour) openTails(ctx context.Context) {
	const tails = 50
	open := make([]io.Closer, 0, tails)
	for range tails {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+"/logs/storm/tail?after=0", http.NoBody)
		if err != nil {
			return
		}
		request.Header.Set("Authorization", "Bearer "+m.key)
		response, err := m.http.Do(request)
		if err != nil {
			break
		}
		open = append(open, response.Body)
	}
	select {
	case <-ctx.Done():
	case <-time.After(500 * time.Millisecond):
	}
	for _, tail := range open {
		_ = tail.Close()
	}
	m.done.Add(1)
}

// claimBody announces a large body and never sends it.
func (m *misbehaviour) claimBody(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reader, writer := io.Pipe()
	defer writer.CloseWithError(errors.New("never sent"))
	go func() {
		<-ctx.Done()
		_ = writer.CloseWithError(ctx.Err())
	}()
	m.try(ctx, http.MethodPost, "/logs/storm/append_batch", reader)
}
