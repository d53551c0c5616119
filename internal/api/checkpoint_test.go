package api_test

import (
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/server"
)

// TestCheckpoint: a log's head comes signed, and whoever has the key can tell.
func TestCheckpoint(t *testing.T) {
	private, verifier, err := checkpoint.GenerateKey("billing.example.com")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "signing.key")
	if err := os.WriteFile(file, []byte(private+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *server.Config) { c.SigningKeyFile = file })
	if got := string(s.want(http.StatusOK, s.call("GET", "/checkpoint-key", ""))); got != verifier+"\n" {
		t.Errorf("the key is %q, want %q", got, verifier)
	}
	id := s.createLog("acme")
	for n := range int64(3) {
		signed := s.want(http.StatusOK, s.call("GET", "/logs/acme/checkpoint", ""))
		got, err := checkpoint.Open(signed, verifier)
		if err != nil || got.LogID.String() != id || got.Sequence != n {
			t.Fatalf("after %d events: %+v, %v", n, got, err)
		}
		if r := s.verify("acme", "sequence="+strconv.FormatInt(got.Sequence, 10)+"&hash="+hex.EncodeToString(got.Hash[:])); !r.OK {
			t.Errorf("the log is held against its own checkpoint: %+v", r.Faults)
		}
		s.append("acme", `{}`)
	}
	s.wantProblem(http.StatusNotFound, "log_not_found", s.call("GET", "/logs/none/checkpoint", ""))
}

func TestCheckpointWithoutAKey(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.wantProblem(http.StatusNotImplemented, "no_signing_key", s.call("GET", "/logs/acme/checkpoint", ""), "keygen", "--signing-key")
	s.wantProblem(http.StatusNotImplemented, "no_signing_key", s.call("GET", "/checkpoint-key", ""), "keygen")
}
