// Package demo shows Tallystick on real data: it replays a trace of requests to a language model over the HTTP API, queries the ready views
// for the totals, and compares them with totals that were counted without Tallystick.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// Names of the views on the demo's logs.
const (
	monthlyTotals = "monthly-totals"
	rateCheck     = "rate-check"
	costByTeam    = "cost-by-team"
)

const (
	// connections is the number of concurrent appends.
	connections = 32
	// requestTimeout is far longer than any request of the demo takes.
	requestTimeout = time.Minute
)

// The interval between updates of the progress bar, and its width.
const (
	progressInterval = 50 * time.Millisecond
	progressWidth    = 40 // characters
)

// ErrDifferent means that a view's total is not the known one. Run has printed the differences.
var ErrDifferent = errors.New("a total differs from the known one")

// Config names the server, and where to print.
type Config struct {
	URL      string    // of the server
	Out      io.Writer // the report
	Progress io.Writer // the progress bar; nil for none
}

// Run replays the trace and checks the totals. It may run any number of times on one database: every event has an idempotency key, so none
// is counted twice. The error is ErrDifferent if a total is wrong.
func Run(ctx context.Context, config Config) error {
	requests, err := readTrace()
	if err != nil {
		return err
	}
	c, err := tally.New(tally.Options{
		URL: config.URL, Anonymous: true, Actor: "tally demo", Connections: connections, Timeout: requestTimeout,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	d := &show{Config: config, client: c, requests: requests}
	for _, step := range []func(context.Context) error{d.prepare, d.replay, d.deployLate, d.compare} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// show is one run of the demo.
type show struct {
	Config
	client   *tally.Client
	requests []request
}

// prepare creates the logs, and the views that are deployed before the replay.
func (d *show) prepare(ctx context.Context) error {
	d.printf("Replaying %s real requests to a language model (Azure LLM inference trace 2023, CC BY 4.0) as events of\n"+
		"%d customers. Times and tokens are the trace's; customers, teams and prices are made up.\n",
		grouped(int64(len(d.requests))), len(customers))
	for _, customer := range customers {
		_, err := d.client.CreateLog(ctx, customer, map[string]string{"demo": source})
		if err != nil && !tally.IsCode(err, "name_taken") {
			return err
		}
		if _, err := d.deploy(ctx, customer, monthlyTotals, "monthly_totals", ""); err != nil {
			return err
		}
		if _, err := d.deploy(ctx, customer, rateCheck, "rate_check", ""); err != nil {
			return err
		}
	}
	return nil
}

// deploy deploys a ready view and returns how many events it has folded.
func (d *show) deploy(ctx context.Context, customer, view, ready, config string) (folded int64, err error) {
	answer, err := d.client.DeployView(ctx, customer, view, tally.Deployment{Ready: ready, Config: []byte(config)})
	if err == nil && answer.Status != tally.Live {
		err = fmt.Errorf("view %s of %s is %s after event %d; run the demo again to go on from there",
			view, customer, answer.Status, answer.Applied)
	}
	return answer.Applied, err
}

func (d *show) replay(ctx context.Context) error {
	r := &replay{client: d.client, progress: func(int) {}}
	finish := func() {}
	if d.Progress != nil {
		bar := progressbar.NewOptions(len(d.requests), progressbar.OptionSetWriter(d.Progress), progressbar.OptionSetDescription("events"),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(progressInterval),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(progressWidth))
		r.progress = func(events int) { _ = bar.Add(events) } // errors of the bar are ignored
		finish = func() { _ = bar.Finish() }
	}
	err := r.run(ctx, d.requests)
	finish()
	if err != nil {
		return err
	}
	fresh := r.fresh.Load()
	d.printf("\n%s single appends over %d connections: %s\n%s in batches of up to %d: %s\n", grouped(int64(r.singles)), connections,
		pace(r.singles, r.singlesTook), grouped(int64(r.batched)), batchEvents, pace(r.batched, r.batchTook))
	d.printf("%s of the events are new.", grouped(fresh))
	if before := int64(len(d.requests)) - fresh; before > 0 {
		d.printf(" %s were there before, as their idempotency keys tell: they are not counted twice.", grouped(before))
	}
	d.printf("\n")
	return nil
}

// deployLate deploys a view after the events, so that it is built from history.
func (d *show) deployLate(ctx context.Context) error {
	began := time.Now()
	var folded int64
	for _, customer := range customers {
		n, err := d.deploy(ctx, customer, costByTeam, "cost_by_team", costConfig)
		if err != nil {
			return err
		}
		folded += n
	}
	d.printf("Deployed %s last: it is live, with %s events of history folded, after %s.\n\n", costByTeam,
		grouped(folded), time.Since(began).Round(time.Millisecond))
	return nil
}

func (d *show) compare(ctx context.Context) error {
	tallies := map[string]*logTotals{}
	for _, customer := range customers {
		t, err := queryLog(ctx, d.client, customer)
		if err != nil {
			return err
		}
		tallies[customer] = t
	}
	if wrong := report(d.Out, tallies, recount(d.requests)); wrong > 0 {
		return ErrDifferent
	}
	d.printf("\nThe three views agree with each other and with the totals known beforehand.\n")
	return nil
}

func (d *show) printf(format string, args ...any) { fmt.Fprintf(d.Out, format, args...) }

func pace(events int, took time.Duration) string {
	return fmt.Sprintf("%s, %s/s", took.Round(time.Millisecond), grouped(int64(float64(events)/took.Seconds())))
}

// PrintNextSteps prints requests to try on the server at url.
func PrintNextSteps(out io.Writer, url string) {
	fmt.Fprintf(out, `
Look at it in a browser: %[1]s/
Until Ctrl-C, requests of the trace go on to demo-live, as if they came now: %[1]s/#/logs/demo-live/usage/usage

Go on with:
  curl -X POST '%[1]s/logs/demo-acme/views/monthly-totals/query'
  curl -X POST '%[1]s/logs/demo-acme/views/cost-by-team/query?month=2023-11&team=search'
  curl -X POST '%[1]s/logs/demo-acme/views/rate-check/query?time=2023-11-16T18:30:00Z&minutes=3'
  curl -X POST '%[1]s/logs/demo-acme/append' -d '{"type": "llm.request", "model": "gpt-4", `+
		`"team": "search", "tokens_in": 150, "tokens_out": 420}'
  curl '%[1]s/logs/demo-acme'
The API is described at %[1]s/docs. Ctrl-C stops.
`, url)
}
