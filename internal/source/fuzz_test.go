package source_test

import (
	"bytes"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/source"
)

// FuzzMap: whatever the mapping and the record, the result is an event in a log that there can be, or a reject.
func FuzzMap(f *testing.F) {
	for _, tt := range mapTests {
		f.Add([]byte(mapping(tt.members)), []byte(tt.record))
	}
	for _, raw := range canonicalMappings {
		f.Add([]byte(raw), []byte(`{"a":"x","b":{"c":[1,2]},"id":"\ud800","é":1e9}`))
	}
	f.Add([]byte(source.Default), []byte(`{"log":"a","id":"b"}`))
	f.Add([]byte(`{"ready":"litellm"}`), []byte(`{"status":"success","litellm_call_id":"c","endTime":1.5e9,"response_cost":1.35e-05}`))
	f.Add([]byte(mapping(`"unwrap":{"at":"/r","data":"/d","as":"base64"},"rejects":{"raw":"named","with":["/a/0"]}`)),
		[]byte(`{"r":[{"d":"e30="},{"d":"[{}]"}],"a":[1]}`))
	f.Fuzz(func(t *testing.T, raw, record []byte) {
		m, err := source.Parse(raw)
		if err != nil {
			return
		}
		if again, err := source.Parse(m.JSON()); err != nil || !bytes.Equal(again.JSON(), m.JSON()) {
			t.Fatalf("the mapping %s cannot be read again: %v", m.JSON(), err)
		}
		sent := bytes.Clone(record)
		checkLine(t, m, record)
		records := 0
		err = m.Unwrap(record, func(inner []byte) error {
			records++
			checkLine(t, m, inner)
			return nil
		})
		if err == nil && records == 0 && jsonscan.Valid(record) != nil {
			t.Fatalf("%q is an envelope without records", record)
		}
		if !bytes.Equal(record, sent) {
			t.Fatalf("the record %q became %q", sent, record)
		}
	})
}

func checkLine(t *testing.T, m *source.Mapping, record []byte) {
	t.Helper()
	line := m.Map(record)
	kept, whole := m.RejectRaw(record)
	if !whole && kept != nil && jsonscan.Valid(kept) != nil || whole && !bytes.Equal(kept, record) {
		t.Fatalf("of the reject %q is kept %q, %v", record, kept, whole)
	}
	if line.Outcome != source.Skipped && (!bytes.Equal(line.Raw, kept) || line.Whole != whole) {
		t.Fatalf("of the reject %q is kept %q, but for Map %q", record, kept, line.Raw)
	}
	if line.Log != "" {
		if err := eventlog.CheckName("the name", line.Log); err != nil {
			t.Fatal(err)
		}
	}
	if line.Outcome != source.Mapped {
		if line.Event != nil || line.Outcome == source.Rejected && (line.Code == "" || line.Detail == "") {
			t.Fatalf("%q gives %+v", record, line)
		}
		return
	}
	e, err := event.Parse(line.Event)
	if err == nil && line.Key != "" {
		err = e.SetKey(line.Key)
	}
	// A record that is kept as it is has a type, a time and an id of its own, which may be wrong.
	if err != nil && (!m.KeepsRecords() || line.Key != "" && e.Data != nil) {
		t.Fatalf("%s of %q gives %q: %v", m.JSON(), record, line.Event, err)
	}
	if again := m.Map(record); !bytes.Equal(again.Event, line.Event) || again.Log != line.Log || again.Key != line.Key {
		t.Fatalf("%q gives %+v, then %+v", record, line, again)
	}
}
