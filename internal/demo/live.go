package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	// liveLog is the log of what goes on while the demo serves.
	liveLog = "demo-live"
	// liveUsage and liveQuota are its views.
	liveUsage, liveQuota = "usage", "quota"
	// livePause is how long it rests between two events, on average.
	livePause = 120 * time.Millisecond
	// liveHistory is how far back the log's first events go.
	liveHistory = 30 * 24 * time.Hour
)

const (
	liveUsageConfig = `{"type":"llm.request","value":"/tokens_out","aggregations":["sum","count","p95"],` +
		`"group_by":{"team":"/team"},"resolution":"minute"}`
	liveQuotaConfig = `{"credits":{"type":"llm.request","value":"/tokens_out"}}`
	liveGrant       = `{"type":"grant","source":"tally demo","id":"grant-1","grant":"trial","amount":"20000000"}`
)

// Live sends requests of the trace to one more log, as if they came now, until ctx ends: there is something to see then. The first time,
// thirty days of them come before, made up of the trace.
func Live(ctx context.Context, url string) error {
	c, err := tally.New(tally.Options{URL: url, Anonymous: true, Actor: "tally demo", Timeout: requestTimeout})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.EnsureLog(ctx, liveLog, map[string]string{"demo": "live"}); err != nil {
		return err
	}
	for view, deployment := range map[string]tally.Deployment{
		liveUsage: {Ready: "meter", Config: []byte(liveUsageConfig)},
		liveQuota: {Ready: "quota", Config: []byte(liveQuotaConfig)},
	} {
		if _, err := c.DeployView(ctx, liveLog, view, deployment); err != nil {
			return fmt.Errorf("deploying %s: %w", view, err)
		}
	}
	if _, err := c.AppendEvent(ctx, liveLog, []byte(liveGrant), nil); err != nil {
		return err
	}
	requests, err := readEvents()
	if err != nil {
		return err
	}
	if err := sendHistory(ctx, c, requests); err != nil {
		return err
	}
	for at := rand.IntN(len(requests)); ; at++ { //nolint:gosec // nothing is kept secret by it
		e := requests[at%len(requests)]
		e.ID, e.Source, e.Time = "", "", time.Now().UTC()
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		// A refusal is part of the show: the credits are used up after some days.
		if _, err := c.AppendEvent(ctx, liveLog, body, nil); err != nil && !tally.IsCode(err, "refused_by_guard") {
			return err
		}
		pause := time.Duration(float64(livePause) * rand.ExpFloat64()) //nolint:gosec // likewise
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(pause, 10*livePause)):
		}
	}
}

// sendHistory sends the trace as if it had come during the last thirty days, with fewer requests at night; each counts once, however often
// the demo runs.
func sendHistory(ctx context.Context, c *tally.Client, requests []event) error {
	begin := time.Now().UTC().Add(-liveHistory)
	var lines bytes.Buffer
	at := begin
	for i, e := range requests {
		busy := 1 + 0.8*math.Sin(2*math.Pi*(float64(at.Hour())-10)/24)
		at = at.Add(time.Duration(float64(liveHistory) / float64(len(requests)) / busy))
		e.ID, e.Source, e.Time = strconv.Itoa(i+1), "tally demo", at
		if err := json.NewEncoder(&lines).Encode(e); err != nil {
			return err
		}
		if (i+1)%batchEvents == 0 || i == len(requests)-1 {
			if _, err := c.AppendEvents(ctx, liveLog, lines.Bytes(), nil); err != nil {
				return fmt.Errorf("appending the last days: %w", err)
			}
			lines.Reset()
		}
	}
	return nil
}
