package view

import "testing"

// TestMemoryState: what was written stays over the end of a group, and a new group does not change what the one before had.
func TestMemoryState(t *testing.T) {
	m := NewMemoryState(t.Context())
	set := func(key, value string) {
		if err := m.Set([]byte(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
		m.Keep()
	}
	get := func(key string) string {
		value, _, err := m.Get([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return string(value)
	}
	set("a", "1")
	before := m.state
	m.Commit()
	set("a", "2")
	set("b", "3")
	if get("a") != "2" || get("b") != "3" || get("c") != "" {
		t.Errorf("a, b and c are %q, %q and %q", get("a"), get("b"), get("c"))
	}
	if old, _ := before.known.Get("a"); string(old) != "1" {
		t.Errorf("the group before has %q", old)
	}
	if entries, err := m.Scan(nil, nil, 10); len(entries) != 2 || err != nil {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
