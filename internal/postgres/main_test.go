//go:build unix

package postgres

import (
	"testing"

	"go.uber.org/goleak"
)

// Every server that a test starts ends with it, as do the goroutines that watch the server.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
