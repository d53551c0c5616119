package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
)

// TestTooCostly sends a batch that the log's view needs more for than one request may take: the problem says how many events would do.
func TestTooCostly(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	s.want(http.StatusCreated, s.call("POST", "/logs/acme/views/spinning", string(testrig.Scripted())))
	event := testrig.ScriptEvent(testrig.Line("spin", 50))
	costly := s.call("POST", "/logs/acme/append_batch", strings.Repeat(event+"\n", 400))
	p := s.wantProblem(http.StatusRequestEntityTooLarge, "append_too_costly", costly, "nothing was stored", "send at most")
	if p.Events < 1 || p.Events >= 400 {
		t.Fatalf("%d events would do", p.Events)
	}
	few := max(1, p.Events/10)
	answer := decode[appended](t, s.want(http.StatusCreated, s.call("POST", "/logs/acme/append_batch", strings.Repeat(event+"\n", few))))
	if answer.FirstSequence != 1 || answer.Appended != few {
		t.Errorf("after a refusal: %+v", answer)
	}
}
