package tally_test

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// TestMain fails where a test leaves goroutines behind. It does so by itself, since this module depends on nothing.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := stopServer(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the server:", err)
		code = 1
	}
	if code == 0 {
		if left := leftBehind(); left != "" {
			fmt.Fprintln(os.Stderr, "goroutines are left:\n"+left)
			code = 1
		}
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines that run this module's code or a connection, once they had time to end; "" for none.
func leftBehind() string {
	var left string
	for range 100 {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			return err.Error()
		}
		left = ""
		for stack := range strings.SplitSeq(stacks.String(), "\n\n") {
			if strings.Contains(stack, "clients/go.") || strings.Contains(stack, "net/http.") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
		<-time.After(20 * time.Millisecond)
	}
	return left
}
