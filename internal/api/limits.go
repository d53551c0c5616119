package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/limits"
	"github.com/tallystick/tallystick/internal/live"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// measuredRetrySeconds: what a tenant has stored is measured once a minute at best.
	measuredRetrySeconds = 60
	// streamRetrySeconds: streams come and go by the minute.
	streamRetrySeconds = 30
	// maxHeld bounds the refusals that are held back at a time: each has a goroutine and a connection.
	maxHeld = 1000
)

// Limits are a tenant's or a key's own: those that are absent are the server's defaults for a tenant, and none for a key.
type Limits struct {
	RequestsPerSecond *int64 `json:"requests_per_second,omitempty" minimum:"0" doc:"Of all kinds. 0 is no limit, here and in the others."`
	EventsPerSecond   *int64 `json:"events_per_second,omitempty" minimum:"0" doc:"Appended, duplicates included."`
	BytesPerSecond    *int64 `json:"bytes_per_second,omitempty" minimum:"0" doc:"Of request bodies."`
	Streams           *int64 `json:"streams,omitempty" minimum:"0" doc:"Tails, watched answers and streams of events at a time."`
	Logs              *int64 `json:"logs,omitempty" minimum:"0" doc:"Of tenants only, as those that follow."`
	Views             *int64 `json:"views,omitempty" minimum:"0" doc:"On all logs, without those that are retired."`
	Patterns          *int64 `json:"patterns,omitempty" minimum:"0" doc:"Views on patterns of logs, without those that are retired."`
	StateBytes        *int64 `json:"state_bytes,omitempty" minimum:"0" doc:"State of views that are not retired, as PostgreSQL stores it."`
}

// OwnLimits is Limits in a request, where a limit that does not exist is refused.
type OwnLimits Limits

func presentLimits(stored []byte) (l Limits) {
	if own, err := limits.Parse(stored); err == nil { // they were checked before they were stored
		l = Limits(*own)
	}
	return l
}

// stored returns the limits as they are stored, nil for none. The error is a *Problem.
func (l *OwnLimits) stored(check func(*limits.Limits) error) ([]byte, error) {
	if l == nil {
		return nil, nil
	}
	own := limits.Limits(*l)
	if err := check(&own); err != nil {
		return nil, newProblem("invalid_limits", err.Error())
	}
	stored, err := json.Marshal(own)
	if err != nil {
		return nil, fmt.Errorf("encoding limits: %w", err)
	}
	return stored, nil
}

// charge holds a request to its caller's limits, before its body is read.
func (s *server) charge(r *http.Request) *Problem {
	request := requestOf(r.Context())
	c := request.caller
	request.account = s.Limiter.Account(limits.Caller{
		Tenant: c.Tenant, TenantLimits: c.TenantLimits, Key: c.KeyID, KeyLimits: c.KeyLimits,
	})
	if r.ContentLength < 0 {
		request.body.account = request.account
	}
	if request.operation.Metadata[unlimited] != nil {
		return nil
	}
	if err := request.account.Request(r.ContentLength); err != nil {
		s.hold(r.Context(), err)
		return limitProblem(err)
	}
	return nil
}

// hold keeps the refusal of a tenant back that does not give way.
func (s *server) hold(ctx context.Context, err error) {
	var exceeded *limits.ExceededError
	if !errors.As(err, &exceeded) || exceeded.Hold == 0 {
		return
	}
	defer s.held.Add(-1)
	if s.held.Add(1) > maxHeld {
		return
	}
	timer := time.NewTimer(exceeded.Hold)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.Live.Done():
	}
}

// chargeEvents holds an append to its caller's limits. The error is a *Problem.
func (s *server) chargeEvents(ctx context.Context, log uuid.UUID, events int) error {
	account := requestOf(ctx).account
	err := account.Append(ctx, log)
	if err == nil {
		err = account.Events(events)
	}
	if err != nil {
		s.hold(ctx, err)
		return s.problem(ctx, err)
	}
	return nil
}

// mayBuild returns a *Problem if the tenant has no room for the state of another version of a view.
func (s *server) mayBuild(ctx context.Context) error {
	if err := requestOf(ctx).account.BuildView(); err != nil {
		return s.problem(ctx, err)
	}
	return nil
}

// watching is a watch that counts as one of its caller's streams.
type watching struct {
	*live.Watch

	closeStream func()
}

// Close may be called twice.
func (w *watching) Close() {
	w.Watch.Close()
	w.closeStream()
}

// limitProblem maps the errors of limits.
func limitProblem(err error) *Problem {
	var exceeded *limits.ExceededError
	var reached *limits.ReachedError
	switch {
	case errors.As(err, &exceeded):
		return exceededProblem(exceeded)
	case errors.As(err, &reached) && reached.Limit == limits.Streams:
		p := retry(newProblem("limit_reached", reached.Error()+": close one, or try again later"), streamRetrySeconds)
		name := policyName(limits.Streams, reached.OfKey)
		p.header["Ratelimit-Policy"] = []string{fmt.Sprintf(`%s;q=%d;qu="concurrent-requests"`, name, reached.Value)}
		p.header["Ratelimit"] = []string{name + ";r=0"}
		p.Limit = reached.Limit.String()
		return p
	case errors.As(err, &reached):
		p := retry(newProblem("limit_reached", reached.Error()+"; nothing was done: "+wayOut(reached.Limit)), measuredRetrySeconds)
		p.Limit = reached.Limit.String()
		return p
	}
	return nil
}

func wayOut(limit limits.Limit) string {
	const operator = "an operator can raise it"
	switch limit {
	case limits.Views:
		return "retire views that are not needed, or ask an operator to raise it"
	case limits.Patterns:
		return "retire patterns that are not needed, or ask an operator to raise it"
	case limits.StateBytes:
		return "retire views that are not needed, or ask an operator to raise it; logs without views take events all the while"
	case limits.Requests, limits.Events, limits.Bytes, limits.Streams, limits.Logs:
	}
	return operator
}

// exceededProblem has the headers of draft-ietf-httpapi-ratelimit-headers-11, for the rates that are exceeded.
func exceededProblem(exceeded *limits.ExceededError) *Problem {
	detail := exceeded.Error() + "; nothing was done: try again after Retry-After"
	if exceeded.Rates[0].Limit == limits.Requests {
		detail += ", and send several events in one request"
	}
	p := retry(newProblem("too_many_requests", detail), seconds(exceeded.Wait()))
	policies, states := make([]string, len(exceeded.Rates)), make([]string, len(exceeded.Rates))
	for i := range exceeded.Rates {
		r := &exceeded.Rates[i]
		name := policyName(r.Limit, r.OfKey)
		amount, window := r.Policy()
		policies[i] = fmt.Sprintf("%s;q=%d%s;w=%d", name, amount, units[r.Limit], window)
		states[i] = fmt.Sprintf("%s;r=%d;t=%d", name, r.Remaining, seconds(r.Wait))
	}
	p.header["Ratelimit-Policy"] = []string{strings.Join(policies, ", ")}
	p.header["Ratelimit"] = []string{strings.Join(states, ", ")}
	p.Limit = exceeded.Rates[0].Limit.String()
	return p
}

// units are the quota units of rates; that of requests is the default.
var units = map[limits.Limit]string{limits.Events: `;qu="events"`, limits.Bytes: `;qu="content-bytes"`}

// policyName is a limit's name in headers, quoted: such as "requests", or "key-requests".
func policyName(limit limits.Limit, ofKey bool) string {
	name := strings.TrimSuffix(limit.String(), "_per_second")
	if ofKey {
		name = "key-" + name
	}
	return `"` + name + `"`
}

// seconds are whole ones, 1 at least.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
