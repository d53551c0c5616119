package eventlog_test

import (
	"testing"

	"github.com/tallystick/tallystick/testcontainers"
)

func TestMain(m *testing.M) { testcontainers.Main(m) }
