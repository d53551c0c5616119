package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	// barWidth leaves room for the text beside the bar on a terminal of 100 columns.
	barWidth = 24
	// barSteps is the resolution of a bar.
	barSteps = 10_000
	// linesEvery is the interval between lines of progress without a bar.
	linesEvery = 5 * time.Second
)

// progress shows the progress of work: a bar on a terminal, else a line now and then.
type progress struct {
	what      string
	bar       *progressbar.ProgressBar // nil without a terminal
	out       io.Writer
	printedAt time.Time // time of the last line
}

// newProgress shows the progress of what, on terminal, or as lines on out if terminal is nil.
func newProgress(what string, terminal, out io.Writer) *progress {
	p := &progress{what: what, out: out}
	if terminal != nil {
		p.bar = progressbar.NewOptions64(barSteps, progressbar.OptionSetWriter(terminal), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
	}
	return p
}

// set shows a state. perSecond is 0 and left is negative if unknown.
func (p *progress) set(done, total int64, perSecond float64, left time.Duration) {
	// A full bar cannot go back, and more events may arrive.
	p.show(oneLine(p.what)+": "+pace(done, total, perSecond, left), float64(done)/float64(max(total, done, 1)))
}

// show shows a text and a share of the work, from 0 to 1.
func (p *progress) show(text string, share float64) {
	if p.bar == nil {
		if time.Since(p.printedAt) >= linesEvery {
			p.printedAt = time.Now()
			fmt.Fprintln(p.out, text)
		}
		return
	}
	p.bar.Describe(text)
	_ = p.bar.Set64(min(int64(share*barSteps), barSteps-1)) // an error of the bar is ignored
}

// finish removes the bar.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// pace formats progress, such as "120,000 of 1,000,000 events, 98,000 events/s, 9 s left".
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
