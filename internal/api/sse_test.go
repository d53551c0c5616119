package api

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/memory"
)

// parsed reads a stream of events as HTML's section 9.2.6 has it.
func parsed(stream string) (messages []string) {
	stream = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(stream)
	var data []string
	event, id := "", ""
	for line := range strings.SplitSeq(stream, "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != nil:
			messages = append(messages, id+"|"+event+"|"+strings.Join(data, "\n"))
			data, event = nil, ""
		case name == "data":
			data = append(data, value)
		case name == "event":
			event = value
		case name == "id":
			id = value
		}
	}
	return messages
}

// FuzzSSE: whatever an answer holds, a client reads it as one message, with nothing changed but the form of its line breaks.
func FuzzSSE(f *testing.F) {
	for _, seed := range []string{"", "{}", "a\nb", "a\r\nb\r", "\n\n", "x\rid: 9\revent: end\r\rdata: y", ": not a comment", strings.Repeat("long\n", 20_000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		out := newSSE(w, time.Minute, nil)
		if err := errors.Join(out.begin("a comment", 7), out.add(8, "answer", data), out.heartbeat(9), out.add(noID, "end", []byte("{}")), out.flush()); err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
		got := parsed(w.Body.String())
		if len(got) != 2 || got[0] != "8|answer|"+want || got[1] != "9|end|{}" {
			t.Errorf("%q is read as %q", data, got)
		}
		if cap(out.buf) > 2*sseChunkBytes {
			t.Errorf("the stream keeps %d bytes for its next message", cap(out.buf))
		}
	})
}

// deadlines is a recorder that takes deadlines, as a connection does.
type deadlines struct{ *httptest.ResponseRecorder }

func (*deadlines) SetWriteDeadline(time.Time) error { return nil }

// TestSharedQuestion: however many watch, a question is asked once for each state of the log, and answers never go back.
func TestSharedQuestion(t *testing.T) {
	var all sharedQueries
	var asked atomic.Int64
	const watchers, states = 50, 20
	var watching sync.WaitGroup
	all.join("key") // one is there all the time
	for range watchers {
		q := all.join("key")
		watching.Go(func() {
			defer all.leave("key")
			for state := range int64(states) { // which are versions of what is known
				message, err := q.reply(t.Context(), live.State{Version: uint64(state)}, func() (*liveMessage, error) {
					asked.Add(1)
					return newLiveMessage(state, "answer", nil, nil), nil
				})
				if err != nil || message.id < state {
					t.Errorf("at %d the answer is of %+v (%v)", state, message, err)
					return
				}
				message.letGo()
			}
		})
	}
	watching.Wait()
	all.leave("key")
	if n := asked.Load(); n > states {
		t.Errorf("the question was asked %d times for %d states", n, states)
	}
	if len(all.asked) != 0 {
		t.Errorf("%d questions are kept that nobody watches", len(all.asked))
	}
}

// TestQuestionGivenUp: who asks for all may fail, or go; the next one asks.
func TestQuestionGivenUp(t *testing.T) {
	var all sharedQueries
	q := all.join("key")
	failure := errors.New("gone")
	if _, err := q.reply(t.Context(), live.State{}, func() (*liveMessage, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("the error is %v", err)
	}
	message, err := q.reply(t.Context(), live.State{}, func() (*liveMessage, error) {
		return newLiveMessage(0, "answer", []byte("1"), nil), nil
	})
	if err != nil || !bytes.Equal(message.data, []byte("1")) {
		t.Errorf("after a failure comes %+v (%v)", message, err)
	}
	q.turn <- struct{}{} // somebody asks, and takes long
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.reply(gone, live.State{Version: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone waits, and has %v", err)
	}
}

// TestMessagesAreBooked: an answer's memory is booked for as long as it is the last one, or somebody sends it.
func TestMessagesAreBooked(t *testing.T) {
	const size, watchers = 10_000, 20
	book := memory.NewBook(1<<20, 0, 0)
	var all sharedQueries
	q := all.join("key")
	answer := func(version uint64) *liveMessage {
		message, err := q.reply(t.Context(), live.State{Version: version}, func() (*liveMessage, error) {
			held := book.Hold()
			return newLiveMessage(int64(version), "answer", make([]byte, size), held), held.Grow(t.Context(), size)
		})
		if err != nil {
			t.Fatal(err)
		}
		return message
	}
	var sending []*liveMessage
	for version := range uint64(3) {
		for range watchers {
			sending = append(sending, answer(version))
		}
	}
	if book.Held() != 3*size {
		t.Errorf("%d bytes are booked for three answers that are sent", book.Held())
	}
	var sent sync.WaitGroup
	for _, message := range sending {
		sent.Go(message.letGo)
	}
	sent.Wait()
	if book.Held() != size {
		t.Errorf("%d bytes are booked for the last answer", book.Held())
	}
	all.leave("key")
	if book.Held() != 0 {
		t.Errorf("%d bytes stay booked", book.Held())
	}
}
