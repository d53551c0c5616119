package uuid_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/uuid"
)

func TestUUIDs(t *testing.T) {
	last := uuid.New()
	for range 1000 {
		next := uuid.New()
		if next.String() <= last.String() {
			t.Fatalf("%v came after %v", next, last)
		}
		last = next
	}
	if id, err := uuid.Parse(last.String()); err != nil || id != last {
		t.Errorf("%v is read as %v, %v", last, id, err)
	}
	text := last.String()
	if written, err := json.Marshal(last); err != nil || string(written) != `"`+text+`"` {
		t.Errorf("%v is written as %s, %v", last, written, err)
	}
	for _, bad := range []string{"", text[1:], "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""), text[:35] + "g"} {
		if id, err := uuid.Parse(bad); err == nil {
			t.Errorf("%q is read as %v", bad, id)
		}
	}
}

func TestOrder(t *testing.T) {
	none, low, high := uuid.UUID{}, uuid.UUID{15: 1}, uuid.UUID{0: 0x80}
	if !none.IsZero() || low.IsZero() {
		t.Error("only the zero UUID is zero")
	}
	if none.Compare(low) >= 0 || high.Compare(low) <= 0 || low.Compare(low) != 0 {
		t.Error("UUIDs compare by their bytes, from the first on, without a sign")
	}
}
