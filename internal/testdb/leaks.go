package testdb

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leakPatience is how long goroutines may take to end after the last test; they need milliseconds, or more on a busy machine.
const leakPatience = 30 * time.Second

// Main is for a package whose TestMain does nothing else: it runs the tests, and fails if they leave a goroutine behind.
func Main(m *testing.M) { os.Exit(CheckLeaks(m.Run())) }

// CheckLeaks returns the exit status of tests that ended with status: a failure, whose reason it prints, if they passed but left a
// goroutine behind.
//
// Goroutines that live on by design are no leaks: the shared server ends after this process. Idle connections of HTTP clients are closed
// first.
func CheckLeaks(status int) int {
	if status != 0 {
		return status // failed tests may leave goroutines behind
	}
	var err error
	for began := time.Now(); time.Since(began) < leakPatience; {
		http.DefaultClient.CloseIdleConnections()
		if err = goleak.Find(designed...); err == nil {
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, "goroutines are left behind by tests that passed:", err)
	return 1
}

// designed ignores the goroutines of the servers that the tests share.
var designed = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/tallystick/tallystick/internal/postgres.(*Server).launch.func1"), // waits for the server to end
	goleak.IgnoreAnyFunction("github.com/tallystick/tallystick/internal/postgres.boundLog"),
}
