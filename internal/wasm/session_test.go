package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
)

func TestStateRoundTrip(t *testing.T) {
	m := compile(t, newEngine(t), storeGuest())
	state := newState("kept", "1")
	s := start(t, m, "", state)
	for _, data := range []string{
		`{"key":"a","value":"{\"n\":1}"}`, `{"key":"b","value":"2"}`, `{"value":"{\"n\":2}","key":"a"}`, `{"key":"gone"}`,
		`{"key":"b"}`, `{"key":"\u00e9/ö","value":"[]"}`,
	} {
		if ignored, err := s.Fold(event(t, m, data)); err != nil || ignored {
			t.Fatalf("%s: ignored %v, error %v", data, ignored, err)
		}
	}
	if want := map[string]string{"kept": "1", "a": `{"n":2}`, "é/ö": "[]"}; !maps.Equal(state.entries, want) {
		t.Errorf("state %v, want %v", state.entries, want)
	}
	for query, want := range map[string]string{"a": `{"n":2}`, "kept": "1", "b": "null"} {
		if answer, err := s.Query(query); err != nil || string(answer) != want {
			t.Errorf("Query(%q) = %s, %v, want %s", query, answer, err, want)
		}
	}
}

func TestIgnored(t *testing.T) {
	m := compile(t, newEngine(t), newGuest())
	s := start(t, m, "", newState())
	if ignored, err := s.Fold(&Event{Data: []byte("{}")}); err != nil || !ignored {
		t.Errorf("ignored %v, error %v", ignored, err)
	}
	if answer, err := s.Query(""); err != nil || string(answer) != "null" {
		t.Errorf("an empty query gives %s, %v", answer, err)
	}
}

// What the guest is given is read back from its memory, at the address that it was called with.
func TestEventLayout(t *testing.T) {
	const seenAt = 64
	g := newGuest().fields("/n\n/s\n/escaped\n/missing\n/o").fold(opConst(seenAt), opGet(0), opStore(0), opConst(0))
	m := compile(t, newEngine(t), g)
	s := start(t, m, "", newState())
	ev := event(t, m, `{"n": 1.50 ,"s":"text","escaped":"a\nb","o":{"x":[]}}`)
	ev.Sequence, ev.Time, ev.RecordedAt = 1<<40, -5, math.MaxInt64
	if _, err := s.Fold(ev); err != nil {
		t.Fatal(err)
	}
	memory, _ := s.in.memory.Read(0, s.in.memory.Size())
	le := binary.LittleEndian
	at := memory[le.Uint32(memory[seenAt:]):]
	if n := int64(le.Uint64(at)); n != 1<<40 {
		t.Errorf("sequence %d", n)
	}
	if n := int64(le.Uint64(at[8:])); n != -5 {
		t.Errorf("time %d", n)
	}
	if n := int64(le.Uint64(at[16:])); n != math.MaxInt64 {
		t.Errorf("recorded_at %d", n)
	}
	if data := memory[le.Uint32(at[24:]):][:le.Uint32(at[28:])]; !bytes.Equal(data, ev.Data) {
		t.Errorf("data %q", data)
	}
	if le.Uint32(at[32:]) != 5 || le.Uint32(at[36:]) != 0 {
		t.Errorf("slots %d, reserved %d", le.Uint32(at[32:]), le.Uint32(at[36:]))
	}
	want := []string{"4 1.50 1.5", "5 text 0", "5 a\nb 0", "0  0", `7 {"x":[]} 0`}
	for i := range want {
		slot := at[headerSize+slotSize*i:]
		text := memory[le.Uint32(slot[4:]):][:le.Uint32(slot[8:])]
		got := fmt.Sprint(le.Uint32(slot), " ", string(text), " ", math.Float64frombits(le.Uint64(slot[16:])))
		if got != want[i] || le.Uint32(slot[12:]) != 0 {
			t.Errorf("slot %d is %q, want %q", i, got, want[i])
		}
	}
}

func TestScan(t *testing.T) {
	g := scanGuest()
	g.memory = []byte{0, 40}
	m := compile(t, newEngine(t), g)
	scan := func(state *memoryState, prefix, after string, limit int) (keys []string) {
		t.Helper()
		s := start(t, m, "", state)
		defer s.Close()
		data := fmt.Sprintf(`{"prefix":%q,"after":%q,"limit":%q}`, prefix, after, strings.Repeat("x", limit))
		if _, err := s.Fold(event(t, m, data)); err != nil {
			t.Fatal(err)
		}
		for _, entry := range state.sets {
			if state.entries[string(entry.Key)] != string(entry.Value) {
				t.Fatalf("value of %s came as %s", entry.Key, entry.Value)
			}
			keys = append(keys, string(entry.Key))
		}
		return keys
	}
	small := func() *memoryState { return newState("a", "0", "p/1", "1", "p/2", `"two"`, "p/3", "[3]", "q", "4") }
	for _, tt := range []struct {
		prefix, after string
		limit         int
		want          string
	}{
		{"p/", "", 10, "[p/1 p/2 p/3]"},
		{"p/", "", 2, "[p/1 p/2]"},
		{"p/", "p/2", 10, "[p/3]"},
		{"p/", "p/3", 10, "[]"},
		{"", "", 10, "[a p/1 p/2 p/3 q]"},
		{"p/", "", 0, "[]"},
	} {
		if got := fmt.Sprint(scan(small(), tt.prefix, tt.after, tt.limit)); got != tt.want {
			t.Errorf("scan(%q, %q, %d) = %s, want %s", tt.prefix, tt.after, tt.limit, got, tt.want)
		}
	}

	many := newState()
	for i := range 3 * scanPage {
		many.entries[fmt.Sprintf("k%04d", i)] = fmt.Sprint(i)
	}
	if got := scan(many, "k", "", 2*scanPage+1); len(got) != 2*scanPage+1 || got[2*scanPage] != fmt.Sprintf("k%04d", 2*scanPage) {
		t.Errorf("a scan over pages gave %d entries", len(got))
	}
	// Each entry takes 8 + 4 + 65,524 bytes, 65,536 in all: 16 of them make exactly 1 MiB.
	large := newState()
	for i := range 20 {
		large.entries[fmt.Sprintf("k%03d", i)] = `"` + strings.Repeat("v", 65_522) + `"`
	}
	if got := scan(large, "", "", 20); len(got) != 16 || got[15] != "k015" {
		t.Errorf("a scan of 20 entries of 64 KiB gave %v", got)
	}
	large.entries["k002"] += " "
	large.sets = nil
	if got := scan(large, "", "", 20); len(got) != 15 {
		t.Errorf("a scan that passes 1 MiB by a byte gave %d entries", len(got))
	}
}

func TestConfig(t *testing.T) {
	m := compile(t, newEngine(t), newGuest().query(opCall(callConfig)))
	for config, want := range map[string]string{"": "{}", `{"price": 3}`: `{"price": 3}`} {
		s := start(t, m, config, newState())
		if answer, err := s.Query(""); err != nil || string(answer) != want {
			t.Errorf("config %q is seen as %s, %v", config, answer, err)
		}
		s.Close()
	}
	for _, config := range []string{"{", `"` + strings.Repeat("x", MaxConfigBytes) + `"`} {
		var refused *RefusedError
		if _, err := m.Fields(context.Background(), []byte(config)); !errors.As(err, &refused) || refused.Code != CodeBadConfig {
			t.Errorf("Fields with a bad config: %v", err)
		}
	}
	if _, err := m.Start(context.Background(), Settings{Config: make([]byte, MaxConfigBytes+1)}, newState()); err == nil {
		t.Error("Start accepted a config that is too large")
	}
}

func TestFields(t *testing.T) {
	e := newEngine(t)
	fields := func(g *guest) ([]string, error) {
		return compile(t, e, g).Fields(context.Background(), nil)
	}
	if got, err := fields(newGuest()); err != nil || len(got) != 0 {
		t.Errorf("without tally_fields: %q, %v", got, err)
	}
	if got, err := fields(newGuest().fields("")); err != nil || len(got) != 0 {
		t.Errorf("an empty text: %q, %v", got, err)
	}
	if got, err := fields(newGuest().fields("/a\n/b~1c/0")); err != nil || fmt.Sprint(got) != "[/a /b~1c/0]" {
		t.Errorf("two fields: %q, %v", got, err)
	}
	for _, tt := range []struct{ text, kind, part string }{
		{"/a\n", KindTrap, "it is empty"},
		{"a", KindTrap, `must start with "/"`},
		{strings.Repeat("/a\n", MaxFields) + "/a", KindLimit, "65 fields; at most 64"},
		{"/" + strings.Repeat("a", MaxFieldBytes), KindLimit, "field 1 of tally_fields has 1025 bytes"},
	} {
		_, err := fields(newGuest().fields(tt.text))
		viewError(t, err, tt.kind, tt.part)
	}
	withFields := func(instructions ...[]byte) *guest {
		g := newGuest().fields("")
		g.function("tally_fields").body = code(instructions...)
		return g
	}
	_, err := fields(withFields(opConst(16), opConst(4), opCall(callFail), opConst64(-1)))
	viewError(t, err, KindRefused, "null")
	_, err = fields(withFields(opConst(16), opConst(4), opCall(callGet)))
	viewError(t, err, KindTrap, "get was called in tally_fields")
	_, err = fields(withFields(opConst64(1<<40 | 1<<30)))
	viewError(t, err, KindLimit, "text of tally_fields")
	_, err = fields(withFields(opConst64(0xffffff<<32 | 9)))
	viewError(t, err, KindTrap, "beyond the memory")
}

func TestFail(t *testing.T) {
	g := newGuest().fields("/why").fold(slot(0), opCall(callFail), resetArena, opConst(-7)).
		query(opGet(0), opGet(1), opCall(callFail), resetArena, opConst64(-1))
	m := compile(t, newEngine(t), g)
	s := start(t, m, "", newState())
	_, err := s.Fold(event(t, m, `{"why":"no price for gpt-9"}`))
	viewError(t, err, KindRefused, "no price for gpt-9")
	_, err = s.Query("month is missing") // a refusal leaves the session usable
	viewError(t, err, KindRefused, "month is missing")
	_, err = s.Query("")
	viewError(t, err, KindRefused, "tally_query returned -1 without a reason")

	for _, tt := range []struct{ text, want string }{
		{"a\x00b\xffc", "a\ufffdb\ufffdc"},
		{strings.Repeat("x", 5000), strings.Repeat("x", MaxFailBytes)},
		{strings.Repeat("x", MaxFailBytes-1) + "é", strings.Repeat("x", MaxFailBytes-1)},
		{strings.Repeat("x", MaxFailBytes-2) + "éé", strings.Repeat("x", MaxFailBytes-2) + "é"},
	} {
		_, err := s.Query(tt.text)
		var view *ViewError
		if !errors.As(err, &view) || view.Message != tt.want {
			t.Errorf("fail with %.20q… gave %v", tt.text, err)
		}
	}
}

func TestMemoryIsForgotten(t *testing.T) {
	m := compile(t, newEngine(t), countGuest())
	for range 3 {
		state := newState()
		s := start(t, m, "", state)
		for range 2 {
			if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		if state.entries["n"] != "2" {
			t.Fatalf("after two folds n = %s", state.entries["n"])
		}
		if len(m.program.spare) != 1 {
			t.Fatalf("%d instances are waiting, want the one that was reset", len(m.program.spare))
		}
	}
}

func TestInitializeIsPartOfTheImage(t *testing.T) {
	g := countGuest().initialize(opConst(24), opConst('5'), opStore(0))
	m := compile(t, newEngine(t), g)
	for range 2 {
		state := newState()
		s := start(t, m, "", state)
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if state.entries["n"] != "6" {
			t.Fatalf("n = %s", state.entries["n"])
		}
	}
}

func TestGrownMemoryIsThrownAway(t *testing.T) {
	// tally_alloc hands out a page of its own each time.
	m := compile(t, newEngine(t), newGuest().alloc(opConst(1), opMemoryGrow(), []byte{0x41, 16, 0x74})) // << 16
	s := start(t, m, "", newState())
	if ignored, err := s.Fold(&Event{Data: []byte("{}")}); err != nil || !ignored {
		t.Fatalf("ignored %v, error %v", ignored, err)
	}
	s.Close()
	if len(m.program.spare) != 0 {
		t.Error("an instance whose memory grew was kept")
	}
	s = start(t, m, "", newState())
	if int(s.in.memory.Size()) != m.program.image.size {
		t.Errorf("a new session has %d bytes of memory, want %d", s.in.memory.Size(), m.program.image.size)
	}
}

// A result that makes the guest's memory grow, and so move, in the midst of its fold arrives all the same.
func TestMemoryMovesDuringAFold(t *testing.T) {
	g := meterGuest().alloc(opConst(3), opMemoryGrow(), []byte{0x41, 16, 0x74}) // << 16
	m := compile(t, newEngine(t), g)
	value := `"` + strings.Repeat("v", MaxValueBytes-2) + `"`
	state := newState("m", value)
	s := start(t, m, "", state)
	for n := range 5 {
		if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if len(state.sets) != n+1 || string(state.sets[n].Value) != value {
			t.Fatalf("fold %d wrote back something else than it read", n+1)
		}
	}
}

func TestMemoryHasALimit(t *testing.T) {
	// The declared maximum is beyond what views may have: growing stops at the limit, not there.
	g := newGuest().fold(opConst(MaxMemoryPages-1), opMemoryGrow(), []byte{0x41, 0, 0x48}) // < 0
	g.memory = append([]byte{1, 2}, leb(65536)...)
	m := compile(t, newEngine(t), g)
	if failed, err := start(t, m, "", newState()).Fold(&Event{}); err != nil || !failed {
		t.Errorf("growing to 1,025 pages: refused %v, error %v", failed, err)
	}
}
