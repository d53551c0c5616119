package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/uuid"
)

// TestReadStateIsBounded: a query and a build keep no more of what they read than they may, however much they read, and hold one more
// value at a time.
func TestReadStateIsBounded(t *testing.T) {
	const keys, valueBytes, most = 100, 60 << 10, 1 << 20
	d, err := db.Open(t.Context(), db.Config{URL: testdb.New(t).DSN(), AppendConns: 1, ReadConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	log, version := uuid.New(), uuid.New()
	value := `"` + strings.Repeat("x", valueBytes-2) + `"`
	for i := range keys {
		const insert = "INSERT INTO view_state_rows (log_id, version_id, key, value) VALUES ($1, $2, $3, $4)"
		_, err := d.Append.Exec(t.Context(), insert, log, version, fmt.Sprint("k", i), value)
		if err != nil {
			t.Fatal(err)
		}
	}
	book := memory.NewBook(16<<20, 0, 0)
	room := book.Hold()
	w := newWrites(t.Context(), &state{}, &stateReader{db: d, room: room, log: log, version: version})
	w.room, w.most = room, most
	for range 2 {
		for i := range keys {
			got, found, err := w.Get([]byte(fmt.Sprint("k", i)))
			if err != nil || !found || string(got) != value {
				t.Fatalf("key %d has %d bytes, %v, %v", i, len(got), found, err)
			}
			if w.state.bytes > most || room.Used() > most+2*valueBytes {
				t.Fatalf("after key %d the state has %d bytes, and %d are in use", i, w.state.bytes, room.Used())
			}
			if room.Used() < min(int64(i), most/valueBytes-1)*valueBytes {
				t.Fatalf("after key %d only %d bytes are in use", i, room.Used())
			}
		}
	}
	if _, err := w.Scan([]byte("k"), nil, keys); err != nil || room.Used() < keys*valueBytes {
		t.Errorf("after a scan %d bytes are in use, %v", room.Used(), err)
	}
	if _, _, err := w.Get([]byte("none")); err != nil || room.Used() > most+valueBytes {
		t.Errorf("after the next call %d bytes are in use, %v", room.Used(), err)
	}
}
