package db_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
)

// TestBookedRows: rows without room are not held, neither one at a time nor all together, and the connection stays usable.
func TestBookedRows(t *testing.T) {
	const mib = 1 << 20
	conn, err := pgx.Connect(t.Context(), testdb.New(t).DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // the test is over
	book := memory.NewBook(4*mib, 0, 0)
	room := book.Hold()
	booked := db.Booked(conn, room)
	read := func(rows int) (n int, err error) {
		result, err := booked.Query(t.Context(), "SELECT repeat('x', 65536) FROM generate_series(1, $1)", rows)
		if err != nil {
			return 0, err
		}
		defer result.Close()
		for result.Next() {
			n++
		}
		return n, result.Err()
	}
	if n, err := read(20); n != 20 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
	if room.Used() < 20*65536 || book.Held() > 2*mib {
		t.Errorf("%d bytes are in use, %d booked", room.Used(), book.Held())
	}
	if n, err := read(1000); !errors.Is(err, memory.ErrFull) || 20+n > 4*mib/65536 {
		t.Errorf("%d rows are there to be held, %v", n, err)
	}
	if book.Peak() > 4*mib {
		t.Errorf("%d bytes were booked", book.Peak())
	}
	var text string
	if err := booked.QueryRow(t.Context(), "SELECT repeat('x', $1)", 5*mib).Scan(&text); !errors.Is(err, memory.ErrFull) || text != "" {
		t.Errorf("a row that is too large has %d bytes, %v", len(text), err)
	}
	if err := booked.QueryRow(t.Context(), "SELECT 'x' WHERE false").Scan(&text); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("no row: %v", err)
	}
	room.Release()
	if err := booked.QueryRow(t.Context(), "SELECT 'y'").Scan(&text); err != nil || text != "y" {
		t.Errorf("afterwards there is %q, %v", text, err)
	}
	room.Release()
	if book.Held() != 0 {
		t.Errorf("%d bytes stay booked", book.Held())
	}
}
