package activity_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
