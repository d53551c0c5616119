package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// known are the trace's totals, counted without this project: data/README.md explains how.
var known = totals{requests: 8_819, tokensIn: 18_059_974, tokensOut: 245_896}

// Prices of one token, made up, in millionths. costConfig holds the same prices for the view.
const (
	priceIn    = 3
	priceOut   = 15
	costConfig = `{"prices":{"` + model + `":{"tokens_in":"0.000003","tokens_out":"0.000015"}}}`
)

// totals are a customer's usage.
type totals struct{ requests, tokensIn, tokensOut int64 }

func (t *totals) add(other totals) {
	t.requests += other.requests
	t.tokensIn += other.tokensIn
	t.tokensOut += other.tokensOut
}

// cost returns the exact price of the tokens.
func (t *totals) cost() *big.Rat {
	return big.NewRat(t.tokensIn*priceIn+t.tokensOut*priceOut, 1_000_000)
}

// recount sums up the trace by customer, without the server.
func recount(requests []request) map[string]totals {
	all := map[string]totals{}
	for _, r := range requests {
		t := all[r.customer]
		t.add(totals{requests: 1, tokensIn: r.tokensIn, tokensOut: r.tokensOut})
		all[r.customer] = t
	}
	return all
}

// logTotals holds the answers of the three views of one log.
type logTotals struct {
	totals               // requests by rate-check, tokens by monthly-totals
	rateTokens  int64    // by rate-check
	teams       totals   // by cost-by-team, summed over teams
	teamsCost   *big.Rat // likewise
	teamsNoCost int64    // requests that cost-by-team knows no price for
	leftOut     leftOut  // of the trace, which is nothing
}

// leftOut counts the values and events that each view reports as not counted.
type leftOut struct{ monthly, rate, cost int64 }

func (t *logTotals) add(other *logTotals) {
	t.totals.add(other.totals)
	t.rateTokens += other.rateTokens
	t.teams.add(other.teams)
	t.teamsCost.Add(t.teamsCost, other.teamsCost)
	t.teamsNoCost += other.teamsNoCost
	t.leftOut.monthly += other.leftOut.monthly
	t.leftOut.rate += other.leftOut.rate
	t.leftOut.cost += other.leftOut.cost
}

// queryLog queries the three views of a log for the trace's month or day: events at other times do not matter.
func queryLog(ctx context.Context, c *tally.Client, log string) (*logTotals, error) {
	t := &logTotals{teamsCost: new(big.Rat)}
	var byModel map[string]struct {
		In      int64 `json:"tokens_in"`
		Out     int64 `json:"tokens_out"`
		LeftOut int64 `json:"uncounted"`
	}
	if err := queryView(ctx, c, log, monthlyTotals, "month="+traceMonth, &byModel); err != nil {
		return nil, err
	}
	for _, used := range byModel {
		t.tokensIn += used.In
		t.tokensOut += used.Out
		t.leftOut.monthly += used.LeftOut
	}
	var rate struct {
		Requests int64 `json:"requests"`
		Tokens   int64 `json:"tokens"`
		LeftOut  int64 `json:"uncounted"`
	}
	if err := queryView(ctx, c, log, rateCheck, "time="+traceEnd+"&minutes=1440", &rate); err != nil {
		return nil, err
	}
	t.requests, t.rateTokens, t.leftOut.rate = rate.Requests, rate.Tokens, rate.LeftOut
	return t, t.queryCost(ctx, c, log)
}

// queryView sends a view a query and decodes its JSON answer.
func queryView(ctx context.Context, c *tally.Client, log, view, query string, into any) error {
	answer, err := c.QueryView(ctx, log, view, query)
	if err != nil {
		return fmt.Errorf("asking %s of %s: %w", view, log, err)
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return fmt.Errorf("reading the answer of %s of %s: %w", view, log, err)
	}
	return nil
}

func (t *logTotals) queryCost(ctx context.Context, c *tally.Client, log string) error {
	var byTeam map[string]struct {
		Requests int64  `json:"requests"`
		In       int64  `json:"tokens_in"`
		Out      int64  `json:"tokens_out"`
		Cost     string `json:"cost"`
		Unpriced int64  `json:"unpriced"`
		LeftOut  int64  `json:"uncounted"`
	}
	if err := queryView(ctx, c, log, costByTeam, "month="+traceMonth, &byTeam); err != nil {
		return err
	}
	for team, used := range byTeam {
		cost, ok := new(big.Rat).SetString(used.Cost)
		if !ok {
			return fmt.Errorf("the cost of team %q is %q, which is no number", team, used.Cost)
		}
		t.teams.add(totals{requests: used.Requests, tokensIn: used.In, tokensOut: used.Out})
		t.teamsCost.Add(t.teamsCost, cost)
		t.teamsNoCost += used.Unpriced
		t.leftOut.cost += used.LeftOut
	}
	return nil
}

// differences describes the totals that are not as wanted.
func (t *logTotals) differences(want totals) []string {
	var found []string
	check := func(view, what string, got, want int64) {
		if got != want {
			found = append(found, fmt.Sprintf("%s says %s %s, not %s", view, grouped(got), what, grouped(want)))
		}
	}
	check(monthlyTotals, "tokens in", t.tokensIn, want.tokensIn)
	check(monthlyTotals, "tokens out", t.tokensOut, want.tokensOut)
	check(rateCheck, "requests", t.requests, want.requests)
	check(rateCheck, "tokens", t.rateTokens, want.tokensIn+want.tokensOut)
	check(costByTeam, "requests", t.teams.requests, want.requests)
	check(costByTeam, "tokens in", t.teams.tokensIn, want.tokensIn)
	check(costByTeam, "tokens out", t.teams.tokensOut, want.tokensOut)
	check(costByTeam, "requests without a price", t.teamsNoCost, 0)
	check(monthlyTotals, "values left out", t.leftOut.monthly, 0)
	check(rateCheck, "values left out", t.leftOut.rate, 0)
	check(costByTeam, "values left out", t.leftOut.cost, 0)
	if t.teamsCost.Cmp(want.cost()) != 0 {
		found = append(found, fmt.Sprintf("%s says a cost of %s, not %s", costByTeam, dollars(t.teamsCost), dollars(want.cost())))
	}
	return found
}

// reportRow is the format of a log's row: for each total, the views' value and the known one.
const reportRow = "%-13s %9s %6s  %11s %11s  %11s %8s  %10s %10s  %s\n"

// report prints the views' totals beside the known ones. It returns how many rows differ, including the sum.
func report(out io.Writer, tallies map[string]*logTotals, want map[string]totals) (wrong int) {
	fmt.Fprintf(out, reportRow, "", "requests", "known", "tokens in", "known", "tokens out", "known", "cost", "known", "")
	sum := &logTotals{teamsCost: new(big.Rat)}
	var remarks []string
	row := func(name string, t *logTotals, want totals) {
		mark := "✓"
		if differences := t.differences(want); len(differences) > 0 {
			mark = "✗"
			wrong++
			remarks = append(remarks, fmt.Sprintf("✗ %s: %s", name, strings.Join(differences, "; ")))
		}
		fmt.Fprintf(out, reportRow, name, grouped(t.requests), grouped(want.requests),
			grouped(t.tokensIn), grouped(want.tokensIn), grouped(t.tokensOut), grouped(want.tokensOut),
			dollars(t.teamsCost), dollars(want.cost()), mark)
	}
	for _, customer := range customers {
		row(customer, tallies[customer], want[customer])
		sum.add(tallies[customer])
	}
	row("all", sum, known)
	for _, remark := range remarks {
		fmt.Fprintln(out, remark)
	}
	return wrong
}

// dollars formats an amount with six decimals, enough for the made-up prices.
func dollars(r *big.Rat) string { return r.FloatString(6) }

// grouped formats a number with separators: 18,059,974.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
