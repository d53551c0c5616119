package api

import (
	"fmt"
	"io"
	"testing"

	"github.com/tallystick/tallystick/internal/db"
)

// TestBrokenConnections: that the database's connection broke off is not taken for the end of the body, which gateways would not send
// again.
func TestBrokenConnections(t *testing.T) {
	broken := fmt.Errorf("finding logs: %w", io.ErrUnexpectedEOF)
	taken := &taking{body: &arriving{}}
	for _, err := range []error{broken, fmt.Errorf("%w: %w", db.ErrUnavailable, broken)} {
		if p := taken.bodyProblem(err); p != nil {
			t.Errorf("%v is taken for %s", err, p.Code)
		}
	}
	taken.body.failure = io.ErrUnexpectedEOF
	if p := taken.bodyProblem(broken); p == nil || p.Code != "body_incomplete" {
		t.Errorf("a body that broke off is %v", p)
	}
}
