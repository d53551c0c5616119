//go:build unix

package postgres

import (
	"testing"

	"go.uber.org/goleak"
)

// Every server that a test starts has ended with it, and with it the goroutines that watched it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
