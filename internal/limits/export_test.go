package limits

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/internal/uuid"
)

// Measure measures a tenant to the end, some logs at a time.
func (l *Limiter) Measure(t testing.TB, id uuid.UUID, logs int32) {
	t.Helper()
	of := l.tenant(id)
	for whole := false; !whole; {
		of.mu.Lock()
		if of.usage.pass != nil {
			of.usage.pass.step = logs
		} else {
			of.usage.pass = newPass(logs, of)
		}
		of.mu.Unlock()
		if err := l.step(t.Context(), of); err != nil {
			t.Fatal(err)
		}
		of.mu.Lock()
		whole = of.usage.pass == nil
		of.mu.Unlock()
	}
}

// Begin begins to measure a tenant.
func (l *Limiter) Begin(id uuid.UUID) {
	of := l.tenant(id)
	of.mu.Lock()
	defer of.mu.Unlock()
	of.usage.pass = newPass(firstStep, of)
}

// Used returns what a tenant is known to have.
func (l *Limiter) Used(id uuid.UUID, limit Limit) int64 {
	of := l.tenant(id)
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.usage.of(limit)
}

// Due reports whether a tenant is to be measured.
func (l *Limiter) Due() bool { return l.due() != nil }

// Step measures the next logs of the tenant whose turn it is.
func (l *Limiter) Step(ctx context.Context) { l.measureNext(ctx, l.due()) }

// Forget forgets who has asked for nothing of late, and returns how many tenants and keys are known then.
func (l *Limiter) Forget() (tenants, keys int) {
	l.forget()
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, t := range l.tenants {
		t.mu.Lock()
		keys += len(t.keys)
		t.mu.Unlock()
	}
	return len(l.tenants), keys
}
