package main_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t *testing.T, parts ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestExport: a file has all events in every form, is checked on the way and later without a server, and is never half of one.
func TestExport(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(3000)...)
	plain := filepath.Join(o.dir, "acme.ndjson")
	o.succeeds(words("acme: 3,000 events, the chain is whole"), "export", "acme", "--out", "acme.ndjson")
	if got := bytes.Count(read(t, plain), []byte("\n")); got != 3000 {
		t.Fatalf("the file has %d lines", got)
	}
	o.fails(words("acme.ndjson is there already", "--force"), "export", "acme", "--out", "acme.ndjson")
	o.succeeds(words("3,000 events"), "export", "acme", "--out", "acme.ndjson", "--force")

	o.succeeds(words("3,000 events"), "export", "acme", "--out", "acme.ndjson.gz")
	unpacked, err := gzip.NewReader(bytes.NewReader(read(t, o.dir, "acme.ndjson.gz")))
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(content, read(t, plain)) {
		t.Errorf("compressed, the file holds something else: %v", err)
	}
	o.succeeds(words("3,000 events"), "export", "acme", "--out", "acme.ndjson.zst")
	o.succeeds(words("3,000 events"), "export", "acme", "--out", "acme.csv")
	if lines := strings.Split(string(read(t, o.dir, "acme.csv")), "\r\n"); len(lines) != 3002 || !strings.HasPrefix(lines[0], "sequence,time,") {
		t.Errorf("the CSV has %d lines, the first %s", len(lines), lines[0])
	}
	o.succeeds(words("100 events"), "export", "acme", "--from", "101", "--to", "200", "--out", "part.json")
	if content := read(t, o.dir, "part.json"); !bytes.HasPrefix(content, []byte("[\n{\"sequence\":101,")) || !bytes.HasSuffix(content, []byte("}\n]\n")) {
		t.Errorf("the array is %.100s…", content)
	}

	// What a run left that was killed in the middle of a line.
	torn := read(t, plain)
	write(t, plain+".part", string(torn[:len(torn)/2]))
	if err := os.Remove(plain); err != nil {
		t.Fatal(err)
	}
	o.succeeds(words("events"), "export", "acme", "--out", "acme.ndjson", "--resume")
	if !bytes.Equal(read(t, plain), torn) {
		t.Error("the file that was gone on with is another than the whole one")
	}
	write(t, plain+".part", "{}\n")
	o.fails(words("start anew"), "export", "acme", "--out", "acme.ndjson", "--resume", "--force")
	o.fails(words("--resume", "without compression"), "export", "acme", "--out", "acme.ndjson.gz", "--resume", "--force")
	o.fails(words("--out is missing"), "export", "acme")
	o.fails(words("log_not_found"), "export", "none", "--out", "none.ndjson")
	o.fails(words(`--format "xml"`), "export", "acme", "--format", "xml", "--out", "acme.xml")
	if _, err := os.Stat(filepath.Join(o.dir, "none.ndjson")); err == nil {
		t.Error("a failed export left a file that looks whole")
	}
}

// TestExportOverBadConnections: a proxy cuts every connection after some bytes; the file is the whole one.
func TestExportOverBadConnections(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", calls(2000)...)
	o.succeeds(words("2,000 events"), "export", "acme", "--out", "whole.ndjson")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	cuts := make(chan int, 100)
	go func() {
		for n := 0; ; n++ {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", strings.TrimPrefix(o.server.url, "http://"))
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, client) }()
			go func() {
				_, _ = io.CopyN(client, server, 40_000+int64(n)*20_000)
				_, _ = client.Close(), server.Close()
				cuts <- n
			}()
		}
	}()
	succeeds(t, o.dir, []string{"export", "acme", "--out", "cut.ndjson", "--url", "http://" + listener.Addr().String()}, "2,000 events, the chain is whole")
	if !bytes.Equal(read(t, o.dir, "cut.ndjson"), read(t, o.dir, "whole.ndjson")) {
		t.Error("the file is another than over a good connection")
	}
	if len(cuts) < 2 {
		t.Errorf("only %d connections were cut", len(cuts))
	}
}
