package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/views"
)

// serveEnv makes the test program run a server on the database that it names, instead of tests.
const serveEnv = "TALLY_TEST_SERVE"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(serveEnv); dsn != "" {
		if err := serve(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	testdb.Main(m)
}

// serve prints its URL to standard output, and ends when standard input does.
func serve(dsn string) error {
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.ModuleCacheDir = "127.0.0.1:0", dsn, testrig.ModuleCache()
	config.AllowUnsafeDatabase = true             // a test that needs one that waits for the disk makes one
	config.WebhookAllow = []string{"127.0.0.0/8"} // where tests have their receivers
	s, err := server.Start(context.Background(), config)
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// child is a server in another process, which can be killed.
type child struct {
	cmd *exec.Cmd
	url string
}

func startChild(t *testing.T, dsn string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"="+dsn)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it closes when this process ends
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return &child{cmd: cmd, url: strings.TrimSpace(url)}
}

// kill ends the process as a power cut would.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // it was killed, which is no success
}

// TestServerIsKilled kills a server again and again while clients append to it and retry with the same key until they get a response, and a
// second server works on the same logs. Whatever was acknowledged is stored once, and counted once in the views.
func TestServerIsKilled(t *testing.T) {
	const clients, appends, kills = 8, 60, 5
	d := testdb.New(t, testdb.WithFsync())
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	logs := []uuid.UUID{node.NewLog(t), node.NewLog(t), node.NewLog(t)}
	for _, log := range logs {
		node.Deploy(t, log, "months", views.MonthlyTotals(), "{}")
		node.Deploy(t, log, "script", testrig.Scripted(), "{}")
	}
	running := startChild(t, d.DSN())
	var url atomic.Pointer[string]
	url.Store(&running.url)

	acknowledged := make(chan struct{})
	finished := make(chan struct{})
	var told sync.Map // acknowledged: from "log sequence" to the event's bytes
	var wg sync.WaitGroup
	for i := range clients {
		c := &client{t: t, url: &url, random: rand.New(rand.NewPCG(17, uint64(i)))}
		wg.Go(func() {
			for n := range appends {
				log := logs[c.random.IntN(len(logs))]
				body := fmt.Sprintf(`{"model":"m%d","tokens_in":%d,"script":"set\tk%d\t%d\ncopy\tk%d\tlast"}`, i, n, n%7, n, i)
				sequence := c.append(log, body, fmt.Sprintf("client %d event %d", i, n))
				if before, twice := told.Swap(fmt.Sprint(log, sequence), body); twice {
					t.Errorf("event %d was said to be %s and %s", sequence, before, body)
				}
				acknowledged <- struct{}{}
			}
		})
	}
	wg.Go(func() { // on the other server
		for n := range appends {
			node.Append(t, logs[n%len(logs)], testrig.Parse(t, fmt.Sprintf(`{"model":"other","tokens_in":%d}`, n), fmt.Sprint("other", n)))
		}
	})
	wg.Go(func() { (&client{t: t, url: &url}).deploy(logs[0], "late", views.RateCheck()) })
	go func() {
		wg.Wait()
		close(finished)
	}()
	random := rand.New(rand.NewPCG(19, 1))
	killed := 0
	for n, next := 0, 10; ; n++ {
		select {
		case <-acknowledged:
		case <-finished:
			running.kill(t)
			if killed != kills {
				t.Errorf("the server was killed %d times under load, want %d", killed, kills)
			}
			verify(t, d.DSN(), &told, clients*appends, appends)
			return
		}
		if n == next && killed < kills {
			running.kill(t)
			running = startChild(t, d.DSN())
			url.Store(&running.url)
			killed++
			next += 20 + random.IntN(60)
		}
	}
}

func verify(t *testing.T, dsn string, told *sync.Map, byClients, byNode int) {
	total := 0
	for id, log := range testrig.Check(t, dsn) {
		total += len(log.Events)
		for _, e := range log.Events {
			body, ok := told.Load(fmt.Sprint(id, e.Sequence))
			if ok && body != string(e.Data) || !ok && !strings.Contains(string(e.Data), "other") {
				t.Errorf("event %d of log %v is %s, the client's was %v", e.Sequence, id, e.Data, body)
			}
		}
	}
	if total != byClients+byNode {
		t.Errorf("%d events are stored, %d were acknowledged", total, byClients+byNode)
	}
}

// client sends a request to the current server until it gets a response.
type client struct {
	t      *testing.T
	url    *atomic.Pointer[string]
	random *rand.Rand
}

func (c *client) append(log uuid.UUID, body, key string) (sequence int64) {
	var answer struct{ Sequence int64 }
	c.ask(http.MethodPost, "/logs/"+log.String()+"/append", body, key, &answer)
	return answer.Sequence
}

func (c *client) deploy(log uuid.UUID, name string, code []byte) {
	var answer struct {
		ID string `json:"view_id"`
	}
	c.ask(http.MethodPost, "/logs/"+log.String()+"/views/"+name, string(code), "", &answer)
	if answer.ID == "" {
		c.t.Error("a deploy answered without the view's id")
	}
}

// patience is how long a client keeps trying: the server restarts within a second, or within a few on a busy machine. pause is how long it
// waits between attempts.
const (
	patience = 3 * time.Minute
	pause    = 5 * time.Millisecond
)

func (c *client) ask(method, path, body, key string, into any) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ; ctx.Err() == nil; <-tick.C {
		request, err := http.NewRequestWithContext(ctx, method, *c.url.Load()+path, strings.NewReader(body))
		if err != nil {
			c.t.Error(err)
			return
		}
		if key != "" {
			request.Header.Set("Idempotency-Key", key)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // the server is gone, for now
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was read to its end
		switch {
		case err != nil, response.StatusCode == http.StatusServiceUnavailable:
		case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated &&
			response.StatusCode != http.StatusAccepted:
			c.t.Errorf("%s %s: %s: %s", method, path, response.Status, text)
			return
		default:
			if err := json.Unmarshal(text, into); err != nil {
				c.t.Errorf("%s: %v", text, err)
			}
			return
		}
	}
	c.t.Errorf("%s %s: no answer within %v", method, path, patience)
}
