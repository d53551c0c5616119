package testrig

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Log is what Check found in a log.
type Log struct {
	ID     uuid.UUID
	Events []Event
	keys   map[[16]byte]ownedKey
}

type ownedKey struct {
	payload  [16]byte
	sequence int64
}

// Check reads the whole database and fails the test for every broken promise: sequences from 1 to the head without gaps, the hash chain,
// columns that match their events, the months that events were recorded in, and idempotency keys. It compares the state of every version of
// a view with that of its model, folded over all events from the first except those that the version leaves out. It returns the logs.
func Check(t testing.TB, dsn string) map[uuid.UUID]*Log {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	// One snapshot: the check may run while appends go on.
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{TB: t, tx: tx, logs: map[uuid.UUID]*Log{}}
	c.readEvents()
	c.readKeys()
	for _, log := range c.logs {
		c.checkKeys(log)
	}
	c.checkHeads()
	c.checkMonths()
	c.checkViews()
	return c.logs
}

type checker struct {
	testing.TB
	tx   pgx.Tx
	logs map[uuid.UUID]*Log
}

// each runs a query and calls row for every row of the result. row scans.
func (c *checker) each(row func(rows pgx.Rows) error, query string, args ...any) {
	c.Helper()
	rows, err := c.tx.Query(c.Context(), query, args...)
	if err != nil {
		c.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			c.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		c.Fatalf("%s: %v", query, err)
	}
}

func (c *checker) log(id uuid.UUID) *Log {
	if c.logs[id] == nil {
		c.logs[id] = &Log{ID: id, keys: map[[16]byte]ownedKey{}}
	}
	return c.logs[id]
}

func (c *checker) readEvents() {
	c.each(func(rows pgx.Rows) error {
		var id uuid.UUID
		var e Event
		err := rows.Scan(&id, &e.Sequence, &e.RecordedAt, &e.Time, &e.Type, &e.Key, &e.Data, &e.Hash)
		log := c.log(id)
		log.Events = append(log.Events, e)
		return err
	}, "SELECT log_id, sequence, recorded_at, time, type, key, data, hash FROM events ORDER BY log_id, sequence")
}

func (c *checker) readKeys() {
	c.each(func(rows pgx.Rows) error {
		var id, hash, payload uuid.UUID
		var sequence int64
		err := rows.Scan(&id, &hash, &payload, &sequence)
		c.log(id).keys[hash] = ownedKey{payload, sequence}
		return err
	}, "SELECT log_id, key_hash, payload_hash, sequence FROM event_keys")
}

func (c *checker) checkHeads() {
	heads := 0
	c.each(func(rows pgx.Rows) error {
		var id uuid.UUID
		var sequence int64
		var hash []byte
		var recordedAt time.Time
		if err := rows.Scan(&id, &sequence, &hash, &recordedAt); err != nil {
			return err
		}
		heads++
		log := c.log(id)
		if int64(len(log.Events)) != sequence {
			c.Errorf("log %s: the head says %d events, there are %d", id, sequence, len(log.Events))
		}
		if want := c.checkChain(log); !bytes.Equal(hash, want) {
			c.Errorf("log %s: the head's hash is %x, its events give %x", id, hash, want)
		}
		if n := len(log.Events); n > 0 && !recordedAt.Equal(log.Events[n-1].RecordedAt) {
			c.Errorf("log %s: the head was recorded at %v, its last event at %v", id, recordedAt, log.Events[n-1].RecordedAt)
		}
		return nil
	}, "SELECT log_id, sequence, hash, recorded_at FROM log_heads")
	if heads != len(c.logs) {
		c.Errorf("there are %d heads, and events or keys of %d logs", heads, len(c.logs))
	}
}

// checkMonths compares log_months with the months that events were recorded in.
func (c *checker) checkMonths() {
	type month struct {
		log   uuid.UUID
		start string
	}
	const layout = "2006-01"
	want := map[month]int64{}
	for id, log := range c.logs {
		for i := range log.Events {
			m := month{id, log.Events[i].RecordedAt.UTC().Format(layout)}
			if _, known := want[m]; !known {
				want[m] = log.Events[i].Sequence
			}
		}
	}
	c.each(func(rows pgx.Rows) error {
		var m month
		var start time.Time
		var first int64
		if err := rows.Scan(&m.log, &start, &first); err != nil {
			return err
		}
		m.start = start.UTC().Format(layout)
		if want[m] != first {
			c.Errorf("log %s: log_months says that %s begins with event %d; it is %d", m.log, m.start, first, want[m])
		}
		delete(want, m)
		return nil
	}, "SELECT log_id, month, first_sequence FROM log_months")
	for m, first := range want {
		c.Errorf("log %s: log_months lacks %s, which begins with event %d", m.log, m.start, first)
	}
}

// checkChain checks the log's events in order and returns the hash of the last.
func (c *checker) checkChain(log *Log) []byte {
	genesis := sha256.Sum256(append([]byte("tallystick/log/1\n"), log.ID[:]...))
	previous := genesis[:]
	for i := range log.Events {
		e := &log.Events[i]
		if e.Sequence != int64(i+1) {
			c.Fatalf("log %s: event %d is where %d belongs", log.ID, e.Sequence, i+1)
		}
		if i > 0 && e.RecordedAt.Before(log.Events[i-1].RecordedAt) {
			c.Errorf("log %s: event %d was recorded at %v, the one before at %v",
				log.ID, e.Sequence, e.RecordedAt, log.Events[i-1].RecordedAt)
		}
		if want := LinkHash(previous, e); !bytes.Equal(e.Hash, want) {
			c.Errorf("log %s: event %d has the hash %x, its row gives %x", log.ID, e.Sequence, e.Hash, want)
		}
		previous = e.Hash
		c.checkEnvelope(log, e)
	}
	return previous
}

// LinkHash returns the hash of an event, computed from its row, that follows an event with the hash previous.
func LinkHash(previous []byte, e *Event) []byte {
	h := sha256.New()
	number := func(n int64) { _ = binary.Write(h, binary.BigEndian, n) } // writing to a hash never fails
	text := func(s []byte) {
		_ = binary.Write(h, binary.BigEndian, uint32(len(s)))
		h.Write(s)
	}
	h.Write([]byte("tallystick/event/1\n"))
	h.Write(previous)
	number(e.Sequence)
	number(e.RecordedAt.UnixMicro())
	number(e.Time.UnixMicro())
	text([]byte(e.Type))
	if e.Key == nil {
		text(nil)
	} else {
		text([]byte(*e.Key))
	}
	text(e.Data)
	return h.Sum(nil)
}

// envelope holds the members of an event that the log reads; nil for those that are not strings.
type envelope struct{ typ, time, id, source *string }

func (e *Event) envelope() (envelope, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &members); err != nil {
		return envelope{}, err
	}
	text := func(name string) *string {
		var s *string
		if json.Unmarshal(members[name], &s) != nil {
			return nil
		}
		return s
	}
	return envelope{text("type"), text("time"), text("id"), text("source")}, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// parseTime parses RFC 3339, including lower-case letters, and a leap second as the second after it.
func parseTime(text string) (time.Time, error) {
	text = strings.ToUpper(text)
	if before, after, leap := strings.Cut(text, ":60"); leap && len(before) == len("2006-01-02T15:04") {
		t, err := time.Parse(time.RFC3339, before+":59"+after)
		return t.Add(time.Second), err
	}
	return time.Parse(time.RFC3339, text)
}

// checkEnvelope compares the columns with the event's members.
func (c *checker) checkEnvelope(log *Log, e *Event) {
	found, err := e.envelope()
	if err != nil {
		c.Errorf("log %s: event %d: %v", log.ID, e.Sequence, err)
		return
	}
	if typ := deref(found.typ); typ != e.Type {
		c.Errorf("log %s: event %d has the type %q, its data say %q", log.ID, e.Sequence, e.Type, typ)
	}
	want := e.RecordedAt
	if found.time != nil {
		if want, err = parseTime(*found.time); err != nil {
			c.Errorf("log %s: event %d: %v", log.ID, e.Sequence, err)
		}
	}
	if e.Time.UnixMicro() != want.UnixMicro() {
		c.Errorf("log %s: event %d has the time %v, its data say %v", log.ID, e.Sequence, e.Time, want)
	}
}

// checkKeys checks that every event with a key is the only owner of that key, and that there are no other keys.
func (c *checker) checkKeys(log *Log) {
	owned := 0
	for i := range log.Events {
		e := &log.Events[i]
		if e.Key == nil {
			continue
		}
		owned++
		found, err := e.envelope()
		source, id := deref(found.source), deref(found.id)
		if err != nil || *e.Key != strings.TrimPrefix(source+" "+id, " ") {
			source, id = "", *e.Key // it came with the request
		}
		owner, ok := log.keys[keyHash(source, id)]
		payload := sha256.Sum256(e.Data)
		switch {
		case !ok:
			c.Errorf("log %s: event %d has the key %q, which nothing remembers", log.ID, e.Sequence, *e.Key)
		case owner.sequence != e.Sequence:
			c.Errorf("log %s: event %d has the key %q, which belongs to event %d", log.ID, e.Sequence, *e.Key, owner.sequence)
		case owner.payload != [16]byte(payload[:16]):
			c.Errorf("log %s: the key %q of event %d remembers other bytes", log.ID, *e.Key, e.Sequence)
		}
	}
	if owned != len(log.keys) {
		c.Errorf("log %s: %d events have keys, %d keys are remembered", log.ID, owned, len(log.keys))
	}
}

func keyHash(source, id string) [16]byte {
	sum := sha256.Sum256(fmt.Appendf(binary.BigEndian.AppendUint64(nil, uint64(len(source))), "%s%s", source, id))
	return [16]byte(sum[:16])
}

type version struct {
	log, id      uuid.UUID
	name, status string
	module       []byte
	config       string
	applied      int64
	halted       *int64
	message      *string
	kept         string
	skips        []int64
}

func (c *checker) checkViews() {
	var versions []version
	c.each(func(rows pgx.Rows) error {
		var v version
		err := rows.Scan(&v.log, &v.id, &v.name, &v.status, &v.module, &v.config, &v.applied, &v.halted, &v.message, &v.kept, &v.skips)
		versions = append(versions, v)
		return err
	}, `SELECT v.log_id, v.version_id, w.name, v.status, v.module_sha256, v.config, v.applied_sequence, v.halted_sequence, v.error, v.state,
			ARRAY(SELECT s.sequence FROM view_skips s WHERE s.log_id = v.log_id AND s.version_id = v.version_id ORDER BY s.sequence)
		FROM view_versions v JOIN views w USING (log_id, view_id)`)
	live := map[string]bool{}
	for _, v := range versions {
		switch {
		case v.kept == "kept":
			c.checkVersion(v)
		case v.kept == "dropped" && v.status == "retired":
			c.checkState(v, nil)
		case v.status == "live" || v.status == "halted" || v.applied != 0 && v.status != "retired":
			c.Errorf("view %s of log %s is %s at %d and its state is %s", v.name, v.log, v.status, v.applied, v.kept)
		}
		if name := v.log.String() + v.name; v.status == "live" && live[name] {
			c.Errorf("view %s of log %s has two live versions", v.name, v.log)
		} else if v.status == "live" {
			live[name] = true
		}
	}
}

func (c *checker) checkVersion(v version) {
	model, ok := ModelOf([32]byte(v.module), v.config)
	if !ok {
		c.Fatalf("view %s: no model of module %x", v.name, v.module)
	}
	events := c.log(v.log).Events
	if v.status == "live" {
		v.applied = int64(len(events))
	}
	for i := range events[:v.applied] {
		if slices.Contains(v.skips, int64(i+1)) {
			continue
		}
		if err := model.Fold(&events[i]); err != nil {
			c.Errorf("view %s is %s at %d, its model fails at event %d: %v", v.name, v.status, v.applied, i+1, err)
			return
		}
	}
	if v.status == "halted" {
		c.checkHalt(v, model, events)
	} else if v.status != "retired" && (v.halted != nil || v.message != nil) {
		c.Errorf("view %s is %s and names a halt", v.name, v.status)
	}
	c.checkState(v, model.State())
}

func (c *checker) checkHalt(v version, model Model, events []Event) {
	guard := v.message != nil && strings.HasPrefix(*v.message, "its guard failed: ") // maybe over an event that was refused for it
	if v.halted == nil || v.message == nil || *v.halted != v.applied+1 || *v.halted > int64(len(events)) && !guard {
		c.Errorf("view %s halted after event %d of %d and says at %v: %v", v.name, v.applied, len(events), v.halted, v.message)
		return
	}
	if guard || strings.HasPrefix(*v.message, "this server refuses the view's module") {
		return // whatever the event is
	}
	if slices.Contains(v.skips, *v.halted) {
		c.Errorf("view %s halted at event %d, which it is to leave out", v.name, *v.halted)
	}
	if err := model.Fold(&events[v.applied]); err == nil || !strings.Contains(*v.message, err.Error()) {
		c.Errorf("view %s halted at event %d with %q, its model with %v", v.name, *v.halted, *v.message, err)
	}
}

func (c *checker) checkState(v version, want map[string]string) {
	got := map[string]string{}
	c.each(func(rows pgx.Rows) error {
		var key, value string
		err := rows.Scan(&key, &value)
		got[key] = value
		return err
	}, "SELECT key, value::text FROM view_state WHERE log_id = $1 AND version_id = $2", v.log, v.id)
	var wrong []string
	for key, value := range want {
		if got[key] != value {
			wrong = append(wrong, fmt.Sprintf("%q is %s, want %s", key, got[key], value))
		}
	}
	for key, value := range got {
		if _, ok := want[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("%q is %s, want nothing", key, value))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		c.Errorf("view %s (%s, applied %d) of log %s has %d wrong keys of %d, such as\n%s",
			v.name, v.status, v.applied, v.log, len(wrong), len(want), strings.Join(wrong[:min(len(wrong), 5)], "\n"))
	}
}
