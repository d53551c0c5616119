package ingest_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/testrig"
)

// TestLogThatIsGone: a log that the server remembers is not in the database any more, as after a restore. None of the statements that store
// events stores any.
func TestLogThatIsGone(t *testing.T) {
	for _, n := range []int{1, 2, 600} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			node, d := start(t, testrig.Settings{})
			log := node.NewLog(t)
			node.Append(t, log, keyless(t, 1)...)
			exec(t, d.DSN(), "DELETE FROM log_heads")
			events := keyless(t, n)
			events[0] = testrig.Parse(t, `{}`, "a key")
			if _, err := node.Ingest.Append(log, request(events...)); !errors.Is(err, eventlog.ErrLogNotFound) {
				t.Errorf("the answer is %v", err)
			}
			var stored int
			const count = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM event_keys)"
			err := node.DB.Read.QueryRow(t.Context(), count).Scan(&stored)
			if err != nil || stored != 1 {
				t.Errorf("%d events and keys are stored, %v", stored, err)
			}
		})
	}
}
