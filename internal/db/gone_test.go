package db_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestForgottenTransactionIsEnded leaves a lane's transaction open with a log's lock, as a frozen server does: PostgreSQL ends it, and the
// next session gets the lock.
func TestForgottenTransactionIsEnded(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	forgotten, err := db.Begin(t.Context(), node.DB.Append)
	if err != nil {
		t.Fatal(err)
	}
	defer forgotten.Close()
	if _, err := node.DB.LockHeads(t.Context(), forgotten, []uuid.UUID{log}); err != nil {
		t.Fatal(err)
	}
	waiting, err := db.Begin(t.Context(), node.DB.Append)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if rows, err := node.DB.LockHeads(t.Context(), waiting, []uuid.UUID{log}); err != nil || len(rows) != 1 {
		t.Fatalf("the lock of a log whose transaction was forgotten: %v, %v", rows, err)
	}
	if _, err := node.DB.LockHeads(t.Context(), forgotten, []uuid.UUID{log}); err == nil {
		t.Error("the forgotten transaction goes on")
	}
}
