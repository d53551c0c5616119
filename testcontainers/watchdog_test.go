package testcontainers_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/testcontainers"
)

// victimEnv makes TestVictim play the test process that dies without a chance to clean up.
const victimEnv = "TALLY_TEST_VICTIM"

// TestVictim does nothing by itself; TestServerEndsWithItsProcess runs it in another process.
func TestVictim(t *testing.T) {
	if os.Getenv(victimEnv) == "" {
		return
	}
	d := testcontainers.New(t)
	fmt.Println("dsn", d.DSN())
	<-t.Context().Done() // until it is killed
}

func TestServerEndsWithItsProcess(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestVictim$")
	cmd.Env = append(os.Environ(), victimEnv+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var dsn string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, after, ok := strings.Cut(lines.Text(), "dsn "); ok {
			dsn = after
			break
		}
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("the server does not answer while its process lives: %v", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // reports the kill

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for answers(ctx, dsn) || !removed(t, dsn) {
		select {
		case <-ctx.Done():
			t.Fatalf("the server or its files at %s are still there a minute after its process was killed", dsn)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, dsn string) bool {
	conn, err := pgx.Connect(ctx, dsn)
	if err == nil {
		_ = conn.Close(ctx)
	}
	return err == nil
}

// removed tells whether a local server's socket folder has gone; a container leaves nothing to look for.
func removed(t *testing.T, dsn string) bool {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	if dir == "" {
		return true
	}
	_, err = os.Stat(dir)
	return errors.Is(err, os.ErrNotExist)
}
