package main_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// proxy passes connections on to a server, in small pieces, each with the server's leave.
type proxy struct {
	url  string
	gate func(passed int64) bool // asked before each piece, with the bytes that this connection has had; false cuts it
}

// through puts a proxy in front of the server.
func (o *operator) through(gate func(passed int64) bool) *proxy {
	o.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(o.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = listener.Close() })
	p := &proxy{url: "http://" + listener.Addr().String(), gate: gate}
	target := strings.TrimPrefix(o.server.url, "http://")
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(client, target)
		}
	}()
	return p
}

func (p *proxy) pass(client net.Conn, target string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(server, client) }()
	piece := make([]byte, 8<<10)
	for passed := int64(0); p.gate(passed); {
		n, err := server.Read(piece)
		if _, failed := client.Write(piece[:n]); err != nil || failed != nil {
			return
		}
		passed += int64(n)
	}
}

func (o *operator) read(name string) string {
	o.t.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	return string(text)
}

// left tells which files an export left beside its own.
func (o *operator) left(name string) bool {
	_, part := os.Stat(filepath.Join(o.dir, name+".part"))
	_, state := os.Stat(filepath.Join(o.dir, name+".part.json"))
	return part == nil || state == nil
}

func (o *operator) streamed(format, more string) string {
	return o.server.curl("$URL/logs/acme/events?stream=true&format="+format+more) + "\n"
}

func TestExport(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(3000)...)
	if _, err := o.server.post(t.Context(), "/logs/acme/append", "{\"type\":\n \"spaced\" }\r\n", ""); err != nil {
		t.Fatal(err)
	}
	const whole = "no event is missing, and the hash chain holds up to event 3001"
	for _, format := range []string{"ndjson", "csv", "json"} {
		o.succeeds(words("3,001 events of acme", whole), "events", "export", "acme", "--file", "all."+format)
		if got, want := o.read("all."+format), o.streamed(format, ""); got != want {
			t.Errorf("the %s file has %d bytes, the stream %d", format, len(got), len(want))
		}
	}
	for _, name := range []string{"all.ndjson.gz", "all.csv.zst"} {
		o.succeeds(words(whole), "events", "export", "acme", "--file", name)
	}
	unzipped, err := exec.CommandContext(t.Context(), "gzip", "-dc", filepath.Join(o.dir, "all.ndjson.gz")).Output()
	if err != nil || string(unzipped) != o.streamed("ndjson", "") {
		t.Errorf("the compressed file has %d bytes, %v", len(unzipped), err)
	}
	o.succeeds(nil, "verify", "--export", "all.ndjson.gz")
	o.succeeds(words("12 events", "not checked: a filter"),
		"events", "export", "acme", "--file", "some.json", "--time-from", "2025-03-02", "--time-to", "2025-03-03", "--type", "t1")
	want := o.streamed("json", "&time_from=2025-03-02T00:00:00Z&time_to=2025-03-03T00:00:00Z&type=t1")
	if got := o.read("some.json"); got != want {
		t.Errorf("filtered: %.300s, want %.300s", got, want)
	}
	o.succeeds(words("41 events", "holds up to event 50"),
		"events", "export", "acme", "--file", "part.ndjson", "--from", "10", "--to", "50")
	got := o.prints("events", "export", "acme", "--output", "csv", "--raw", "--after", "2990")
	if got != o.streamed("csv", "&csv=raw&from=2991") {
		t.Errorf("CSV for programs: %.300s", got)
	}
	if got := o.prints("events", "export", "acme", "--output", "csv", "--after", "2990"); got != o.streamed("csv", "&from=2991") {
		t.Errorf("standard output: %s", got)
	}
	if _, err := o.server.post(t.Context(), "/logs", `{"name":"empty"}`, ""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"empty.ndjson": "", "empty.json": "[\n\n]\n"} {
		o.succeeds(words("0 events"), "events", "export", "empty", "--file", name)
		if got := o.read(name); got != want {
			t.Errorf("an empty log as %s is %q", name, got)
		}
	}
	for _, name := range []string{"all.ndjson", "all.csv.zst", "some.json", "empty.json"} {
		if o.left(name) {
			t.Errorf("something is left beside %s", name)
		}
	}
	o.fails(words("all.csv is there already", "--force"), "events", "export", "acme", "--file", "all.csv")
	o.succeeds(words(whole), "events", "export", "acme", "--file", "all.csv", "--force")
	o.fails(words("log_not_found"), "events", "export", "none", "--file", "x")
	o.fails(words("sequence_not_found"), "events", "export", "acme", "--file", "x", "--from", "3003")
	o.fails(words("starts at 8 and ends at 7"), "events", "export", "acme", "--file", "x", "--from", "8", "--to", "7")
	o.fails(words("--raw goes with --output csv"), "events", "export", "acme", "--file", "x", "--raw")
	o.fails(words(`"xml"`, "ndjson, csv, json"), "events", "export", "acme", "--file", "x", "--output", "xml")
	o.fails(words("either --gzip or --zstd"), "events", "export", "acme", "--file", "x", "--gzip", "--zstd")
	o.fails(words("no such file or directory"), "events", "export", "acme", "--file", "nowhere/x")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	cmd := exec.CommandContext(t.Context(), tally, o.args([]string{"events", "export", "acme"})...)
	output := strings.Builder{}
	cmd.Stdout, cmd.Stderr = full, &output
	if err := cmd.Run(); err == nil || !strings.Contains(output.String(), "no space left on device") {
		t.Errorf("a full disk: %v, %s", err, output.String())
	}
}

// TestExportIsNotTakenIn: events that were changed behind the server's back are exported as they are, and named.
func TestExportIsNotTakenIn(t *testing.T) {
	o, dsn := operate(t)
	o.append("acme", calls(10)...)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, statement := range []string{
		`SET session_replication_role = replica`,
		`UPDATE events SET data = '{"tokens_in":99}' WHERE sequence = 4`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	o.changed("event 4 is not what was recorded", "events", "export", "acme", "--file", "changed.ndjson")
	if !strings.Contains(o.read("changed.ndjson"), `"data":{"tokens_in":99}}`) {
		t.Error("the export hides the change")
	}
	if _, err := conn.Exec(t.Context(), `DELETE FROM events WHERE sequence > 8 OR sequence = 6`); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"event 6 is missing", "events 9 to 10 are missing", "7 events"} {
		o.changed(word, "events", "export", "acme", "--file", "gaps.ndjson", "--force")
	}
}

// TestExportThroughCuts: connections that are cut again and again give the file that an uncut one gives.
func TestExportThroughCuts(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(4000)...)
	for _, name := range []string{"cut.ndjson", "cut.csv", "cut.json"} {
		var cuts atomic.Int64
		p := o.through(func(passed int64) bool {
			if passed < 300_000 {
				return true
			}
			cuts.Add(1)
			return false
		})
		format := strings.TrimPrefix(filepath.Ext(name), ".")
		output := succeeds(t, o.dir, []string{"events", "export", "acme", "--file", name, "--url", p.url},
			"going on after event", "holds up to event 4000")
		if got, want := o.read(name), o.streamed(format, ""); got != want {
			t.Errorf("%s differs from an uncut export:\n%s", name, output)
		}
		if cuts.Load() < 3 {
			t.Errorf("only %d connections were cut", cuts.Load())
		}
	}
}

// TestExportResumes: what a killed export left is gone on with, also compressed, and so is what one left whose server had gone.
func TestExportResumes(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(9000)...)
	o.append("other", calls(1)...)
	want := o.streamed("ndjson", "")
	for _, name := range []string{"killed.ndjson", "killed.csv", "killed.ndjson.gz"} {
		counts := func() bool { // some of it, for certain
			_, err := os.Stat(filepath.Join(o.dir, name+".part.json"))
			return err == nil
		}
		released := make(chan struct{})
		p := o.through(func(passed int64) bool {
			switch {
			case passed < 1_000_000:
			case counts():
				<-released
				return false
			default: // dribble, so that the export lives to see its work count
				<-time.After(pollInterval)
			}
			return true
		})
		running := start(t, func(cmd *exec.Cmd) { cmd.Dir = o.dir }, "events", "export", "acme", "--file", name, "--url", p.url)
		waitFor(t, counts)
		running.signal(syscall.SIGKILL)
		running.wait()
		close(released)
		o.fails(words("an earlier export left "+name+".part", "--resume", "--force"), "events", "export", "acme", "--file", name)
		o.fails(words("another range or filter"), "events", "export", "acme", "--file", name, "--resume", "--type", "t1")
		o.fails(words("is of another log"), "events", "export", "other", "--file", name, "--resume")
		o.fails(words("it is "+strings.TrimPrefix(filepath.Ext(strings.TrimSuffix(name, ".gz")), ".")),
			"events", "export", "acme", "--file", name, "--resume", "--output", "json")
		torn, err := os.OpenFile(filepath.Join(o.dir, name+".part"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := torn.WriteString(`{"sequence":`); err != nil {
			t.Fatal(err)
		}
		if err := torn.Close(); err != nil {
			t.Fatal(err)
		}
		o.succeeds(words("9,000 events of acme", "holds up to event 9000"), "events", "export", "acme", "--file", name, "--resume")
		got := o.read(name)
		if strings.HasSuffix(name, ".gz") {
			text, err := exec.CommandContext(t.Context(), "gzip", "-dc", filepath.Join(o.dir, name)).Output()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = string(text)
		}
		if strings.HasSuffix(name, ".csv") && got != o.streamed("csv", "") || !strings.HasSuffix(name, ".csv") && got != want {
			t.Errorf("%s differs from what an export in one go gives", name)
		}
		if o.left(name) {
			t.Errorf("something is left beside %s", name)
		}
	}
	var gone atomic.Bool
	p := o.through(func(passed int64) bool {
		if passed >= 1_000_000 {
			gone.Store(true)
		}
		return !gone.Load()
	})
	fails(t, o.dir, []string{"events", "export", "acme", "--file", "gone.ndjson.zst", "--retries", "1", "--url", p.url},
		"kept in gone.ndjson.zst.part", "--resume", "going on after event")
	o.append("acme", calls(9001)[9000:]...) // what comes later is not part of it
	o.succeeds(words("9,000 events of acme", "holds up to event 9000"), "events", "export", "acme", "--file", "gone.ndjson.zst", "--resume")
	o.succeeds(nil, "verify", "--export", "gone.ndjson.zst")
	// What is in the file must be what is in the log.
	gone.Store(false)
	fails(t, o.dir, []string{"events", "export", "acme", "--file", "changed.ndjson", "--retries", "0", "--url", p.url}, "--resume")
	state := regexp.MustCompile(`"hash":"[0-9a-f]`).ReplaceAllString(o.read("changed.ndjson.part.json"), `"hash":"x`)
	write(t, filepath.Join(o.dir, "changed.ndjson.part.json"), state)
	o.fails(words("not the one that was exported earlier"), "events", "export", "acme", "--file", "changed.ndjson", "--resume")
	o.succeeds(words("9,001 events"), "events", "export", "acme", "--file", "changed.ndjson", "--force")
}

// waitFor waits for a condition outside of this process.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come to pass")
		}
	}
}
