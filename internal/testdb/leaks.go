package testdb

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leakPatience is what goroutines may take to end once the last test has ended; they need milliseconds, on a busy machine more.
const leakPatience = 30 * time.Second

// Main is what a package's TestMain calls that needs nothing else: it runs the tests, and fails when they leave a goroutine behind.
func Main(m *testing.M) { os.Exit(CheckLeaks(m.Run())) }

// CheckLeaks is Servers.CheckLeaks for this package's servers.
func CheckLeaks(status int) int { return shared.CheckLeaks(status) }

// CheckLeaks turns the status of tests that passed into a failure, and says why, where a goroutine lives on that they started.
//
// What lives on by design is no leak: the server that the tests share ends after this process. Connections that an HTTP client keeps
// for its next request are closed.
func (s *Servers) CheckLeaks(status int) int {
	if status != 0 {
		return status // a test that failed may well have left something
	}
	var err error
	for began := time.Now(); time.Since(began) < leakPatience; {
		http.DefaultClient.CloseIdleConnections()
		if err = goleak.Find(s.designed()...); err == nil {
			return 0
		}
	}
	fmt.Fprintln(os.Stderr, "goroutines are left behind by tests that passed:", err)
	return 1
}

// designed are the goroutines of the servers that the tests share.
func (s *Servers) designed() []goleak.Option {
	const postgres = "github.com/tallystick/tallystick/internal/postgres."
	options := []goleak.Option{
		goleak.IgnoreAnyFunction(postgres + "(*Server).launch.func1"), // waits for the server to end
		goleak.IgnoreAnyFunction(postgres + "boundLog"),
	}
	for i := range s.slots {
		if one := s.slots[i].server; one != nil && one.Background != nil {
			options = append(options, one.Background)
		}
	}
	return options
}
