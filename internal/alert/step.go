package alert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/uuid"
)

// reading is what an alert has read of an answer, or why it could not.
type reading struct {
	at       time.Time
	sequence int64
	value    number
	of       number // of nothing where the alert has none
	window   window
	err      string // "": none
}

// Standing is how a threshold stands in a window.
type Standing struct {
	Round    int32     `json:"round"` // how often it has fired in the window
	Firing   bool      `json:"firing,omitempty"`
	Since    time.Time `json:"since,omitzero"` // when it fired last
	Sequence int64     `json:"sequence,omitempty"`
}

// state is how an alert stands on a log.
type state struct {
	nonce      uuid.UUID
	sequence   int64
	value, of  string
	window     window
	thresholds map[string]Standing
	err        string
	failures   int32
	due        time.Time // zero: not before the next event
	at         time.Time // when it was read
}

// Kinds of crossings.
const (
	Fired    = "fired"
	Resolved = "resolved"
)

// Why a threshold was resolved, or fired.
const (
	ByValue  = "value"
	ByWindow = "window" // its window is over
)

// crossing is what has fired or was resolved.
type crossing struct {
	kind, reason string
	threshold    string
	window       string
	round        int32
	since        time.Time // when it fired
	value, of    string
	sequence     int64
}

const (
	// firstRetry and lastRetry bound how long after one evaluation that failed the next comes, without an event.
	firstRetry = 5 * time.Second
	lastRetry  = time.Hour
	// maxKept bounds the thresholds of which rounds are kept, those that the alert has no more included.
	maxKept = 4 * MaxThresholds
	// maxErrorBytes bounds what is kept of an error.
	maxErrorBytes = 1000
)

// fresh is the state of what was never evaluated.
func fresh() state { return state{thresholds: map[string]Standing{}} }

// next returns the state after a reading that is not older than the state, and what that makes fire or resolves.
func (a *Alert) next(was state, r reading) (state, []crossing) {
	now := was
	now.thresholds, now.at = maps.Clone(was.thresholds), r.at
	if r.err != "" {
		now.err, now.failures = storable(r.err), was.failures+1
		now.due = r.at.Add(min(firstRetry<<min(was.failures, 20), lastRetry))
		return now, nil
	}
	now.sequence, now.value, now.of, now.err, now.failures = r.sequence, r.value.text, r.of.text, "", 0
	var crossings []crossing
	end := func(text string, reason string) {
		s := now.thresholds[text]
		s.Firing = false
		now.thresholds[text] = s
		crossings = append(crossings, crossing{
			Resolved, reason, text, now.window.key, s.Round, s.Since, now.value, now.of, now.sequence,
		})
	}
	if r.window.key != was.window.key {
		for _, text := range now.firing() {
			end(text, ByWindow)
		}
		now.window, now.thresholds = r.window, map[string]Standing{}
	}
	over := !now.window.end.IsZero() && !r.at.Before(now.window.end)
	for _, t := range a.thresholds {
		s := now.thresholds[t.text]
		reached := t.reached(r.value.value, r.of.value, a.direction)
		switch {
		case reached && !s.Firing && (!over || s.Round == 0): // a window that is over is late at most
			s = Standing{s.Round + 1, true, r.at, r.sequence}
			now.thresholds[t.text] = s
			crossings = append(crossings, crossing{
				Fired, ByValue, t.text, now.window.key, s.Round, s.Since, now.value, now.of, now.sequence,
			})
		case !reached && s.Firing:
			end(t.text, ByValue)
		}
	}
	if over {
		for _, text := range now.firing() {
			end(text, ByWindow)
		}
	}
	a.leaveOut(&now)
	if now.due = (time.Time{}); !over && len(now.firing()) > 0 {
		now.due = now.window.end
	}
	return now, crossings
}

// storable makes of what a view says a text that PostgreSQL takes, and that is not too long.
func storable(text string) string {
	if len(text) > maxErrorBytes {
		text = text[:maxErrorBytes]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "�")
}

// firing returns the thresholds that are firing.
func (s *state) firing() (texts []string) {
	for _, text := range slices.Sorted(maps.Keys(s.thresholds)) {
		if s.thresholds[text].Firing {
			texts = append(texts, text)
		}
	}
	return texts
}

// leaveOut has thresholds that the alert has no more fire no more. Their rounds are kept, for one that comes back.
func (a *Alert) leaveOut(s *state) {
	has := func(text string) bool {
		return slices.ContainsFunc(a.thresholds, func(t threshold) bool { return t.text == text })
	}
	var gone []string
	for text, standing := range s.thresholds {
		if !has(text) {
			standing.Firing = false
			s.thresholds[text] = standing
			gone = append(gone, text)
		}
	}
	slices.SortFunc(gone, func(x, y string) int {
		return cmp.Or(s.thresholds[x].Since.Compare(s.thresholds[y].Since), cmp.Compare(x, y))
	})
	for len(s.thresholds) > maxKept && len(gone) > 0 {
		delete(s.thresholds, gone[0])
		gone = gone[1:]
	}
}

// same reports whether two states differ in nothing but what was read last.
func (s *state) same(other *state) bool {
	return s.window.key == other.window.key && s.window.end.Equal(other.window.end) && s.err == other.err && s.failures == other.failures &&
		s.due.Equal(other.due) && maps.EqualFunc(s.thresholds, other.thresholds, func(x, y Standing) bool {
		return x.Round == y.Round && x.Firing == y.Firing && x.Since.Equal(y.Since) && x.Sequence == y.Sequence
	})
}

func (s *state) encode() ([]byte, error) {
	encoded, err := json.Marshal(s.thresholds)
	if err != nil {
		return nil, fmt.Errorf("encoding thresholds: %w", err)
	}
	return encoded, nil
}
