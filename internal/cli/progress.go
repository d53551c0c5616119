package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	// barWidth leaves room for what is said beside the bar on a terminal of 100 columns.
	barWidth = 24
	// barSteps is how finely a bar is drawn.
	barSteps = 10_000
	// linesEvery is how often progress is said where nobody draws a bar: in logs.
	linesEvery = 5 * time.Second
)

// progress shows how work goes on: a bar on a terminal, else a line now and then.
type progress struct {
	what string
	bar  *progressbar.ProgressBar // nil without a terminal
	out  io.Writer
	said time.Time // when a line was written last
}

// newProgress shows the progress of what. terminal is nil where nobody looks; lines then go to out.
func newProgress(what string, terminal, out io.Writer) *progress {
	p := &progress{what: what, out: out}
	if terminal != nil {
		p.bar = progressbar.NewOptions64(barSteps, progressbar.OptionSetWriter(terminal), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
	}
	return p
}

// set shows a state. perSecond is 0 and left is negative while nobody can tell.
func (p *progress) set(done, total int64, perSecond float64, left time.Duration) {
	text := oneLine(p.what) + ": " + pace(done, total, perSecond, left)
	if p.bar == nil {
		if time.Since(p.said) >= linesEvery {
			p.said = time.Now()
			fmt.Fprintln(p.out, text)
		}
		return
	}
	p.bar.Describe(text)
	// A bar that is full is finished for good, and more events may come meanwhile. One that cannot be drawn is no reason to stop.
	share := float64(done) / float64(max(total, done, 1))
	_ = p.bar.Set64(min(int64(share*barSteps), barSteps-1))
}

// finish takes the bar away.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// pace says how far something is, such as "120,000 of 1,000,000 events, 98,000 events/s, 9 s left".
func pace(done, total int64, perSecond float64, left time.Duration) string {
	parts := []string{fmt.Sprintf("%s of %s events", thousands(done), thousands(total))}
	if perSecond > 0 {
		parts = append(parts, thousands(int64(perSecond+0.5))+" events/s")
	}
	if left >= 0 && perSecond > 0 {
		parts = append(parts, left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, ", ")
}
