package intake

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/internal/uuid"
)

// TestManySourcesOfOneTenant: a tenant with many large sources drives out its own, and nobody else's.
func TestManySourcesOfOneTenant(t *testing.T) {
	r := &Registry{known: map[sourceKey]*known{}, absent: map[sourceKey]*known{}}
	modest := sourceKey{uuid.New(), "modest"}
	r.remember(modest, &known{source: &Source{}, bytes: 1 << 10})
	for tenant, i := uuid.New(), 0; i < 3*maxKnownBytes>>20; i++ {
		r.remember(sourceKey{tenant, fmt.Sprint(i)}, &known{source: &Source{}, bytes: 1 << 20})
		if r.bytes > maxKnownBytes || r.known[modest] == nil {
			t.Fatalf("after %d sources %d bytes are remembered, and the other tenant's is %v", i, r.bytes, r.known[modest])
		}
	}
}
