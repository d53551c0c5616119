package api_test

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// spinning is a view that folds nothing, and answers true after computing for a while: some 9 million units of gas for each byte of the
// question.
func spinning() []byte {
	const answerAt, roomAt = 0, 16384
	body := func(locals byte, instructions ...byte) []byte {
		declared := []byte{0}
		if locals > 0 {
			declared = []byte{1, locals, 0x7f}
		}
		content := slices.Concat(declared, instructions, []byte{0x0b})
		return append(binary.AppendUvarint(nil, uint64(len(content))), content...)
	}
	million := []byte{0xc0, 0x84, 0x3d}
	query := slices.Concat(
		[]byte{0x20, 1, 0x41}, million, []byte{0x6c, 0x22, 2}, // local.get 1 · 1,000,000 · i32.mul · local.tee 2
		// if · loop · local.get 2 · 1 · i32.sub · local.tee 2 · br_if 0 · end · end
		[]byte{0x04, 0x40, 0x03, 0x40, 0x20, 2, 0x41, 1, 0x6b, 0x22, 2, 0x0d, 0, 0x0b, 0x0b},
		[]byte{0x42, 4}, // the pair of pointer 0 and length 4
	)
	return slices.Concat(magic,
		section(1, []byte{2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e}),
		section(3, []byte{3, 0, 0, 1}),
		section(5, []byte{1, 0, 1}),
		section(7, []byte{4}, text("memory"), []byte{2, 0}, text("tally_alloc"), []byte{0, 0},
			text("tally_fold"), []byte{0, 1}, text("tally_query"), []byte{0, 2}),
		section(10, []byte{3}, body(0, binary.AppendUvarint([]byte{0x41}, roomAt)...), body(0, 0x41, 1), body(1, query...)),
		section(11, []byte{1, 0, 0x41, answerAt, 0x0b}, text("true")),
	)
}

// spinner creates a log with a spinning view, and returns the path of its queries.
func (s *service) spinner(log string) string {
	s.t.Helper()
	s.want(http.StatusCreated, s.call("POST", "/logs", `{"name":"`+log+`"}`))
	s.want(http.StatusCreated, s.call("POST", "/logs/"+log+"/views/spin", string(spinning())))
	return "/logs/" + log + "/views/spin/query?"
}

// spin is a query that takes so many million units of gas.
func spin(millions int) string { return strings.Repeat("x", millions/9) }

// TestLongQuestions has very many long questions be asked of one log. Those that find no place are told to come back, short ones are
// answered as if nothing was, and a longer one of another log has as much of the cores as all of them together, though whoever is
// answered asks again.
func TestLongQuestions(t *testing.T) {
	const questions, millions = 100, 300
	s := start(t)
	greedy, other := s.spinner("greedy"), s.spinner("other")
	ctx, cancel := context.WithCancel(t.Context())
	var answered, busy atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range questions {
		wg.Go(func() {
			for {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+greedy+spin(millions), nil)
				if err != nil {
					t.Error(err)
					return
				}
				reply, err := http.DefaultClient.Do(request)
				if err != nil {
					return // the test has seen enough
				}
				body, _ := io.ReadAll(reply.Body)
				_ = reply.Body.Close() // it was read
				switch {
				case reply.StatusCode == http.StatusOK:
					answered.Add(1)
					continue
				case reply.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), `"busy"`) &&
					reply.Header.Get("Retry-After") == "1":
					busy.Add(1)
				case ctx.Err() == nil:
					t.Errorf("a long question among many: %d %s", reply.StatusCode, body)
				}
				return
			}
		})
	}
	s.await("questions are refused", func() bool { return busy.Load() > 0 })
	s.want(http.StatusOK, s.call("GET", greedy, "")) // nothing to compute
	before := answered.Load()
	s.want(http.StatusOK, s.call("GET", other+spin(2*millions), ""))
	// Two for each of the cores that questions share, those that were under way, and far more for a busy machine, on which asking takes
	// a while.
	if among := answered.Load() - before; among > int64(questions/4+2*runtime.GOMAXPROCS(0)) {
		t.Errorf("while a question of another log was answered, %d of half its length were of the log that asks too many", among)
	}
}
