package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
)

// notRepeated are operations that must not be sent again after their answer was lost: they might be done twice.
var notRepeated = []string{
	"create-log", "create-key", "create-tenant", "create-token", "rotate-key", "revoke-key", "resume-view", "rollback-view", "audit-view",
	"retire-view", "retire-view-pattern", "replay-source", "update-tenant",
	"create-webhook", "update-webhook", "delete-webhook", "test-webhook", "rotate-webhook-secret", "replay-delivery",
	"replay-dead-deliveries", "delete-alert",
}

// shownFindings bounds how many findings of one kind are listed.
const shownFindings = 10

// Judge returns what is wrong with what the runner did, for people; nothing if all is well.
func (s *Stand) Judge(ctx context.Context) ([]string, error) {
	passed, err := s.passed()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, c := range s.chosen() {
		if !slices.Contains(passed, c.Name) {
			found = append(found, "case "+c.Name+" is not in the report: it failed, or was not run")
			continue
		}
		wrong, err := s.judgeLogs(ctx, &c)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		found = append(found, wrong...)
	}
	requests := s.record.all()
	if s.options.Only == nil || s.options.Only.String() == "" {
		found = append(found, s.judgeCoverage(requests)...)
	}
	found = append(found, judgeTries(requests)...)
	return append(found, s.judgeUserAgent(requests)...), nil
}

func (s *Stand) passed() ([]string, error) {
	text, err := os.ReadFile(s.reportFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}

// judgeCoverage finds operations that were never called with success.
func (s *Stand) judgeCoverage(requests []request) (found []string) {
	called := map[string]bool{}
	for i := range requests {
		if requests[i].status/100 == 2 {
			called[requests[i].operation] = true
		}
	}
	for i := range s.document.operations {
		if o := &s.document.operations[i]; !called[o.ID] {
			found = append(found, fmt.Sprintf("operation %s (%s %s) was never called with success", o.ID, o.Method, o.Path))
		}
	}
	return found
}

// judgeTries finds tries that came too early, that should not have come, and that were not the same as the first.
func judgeTries(requests []request) (found []string) {
	last := map[same]*request{}
	bodies := map[same]*request{}
	for i := range requests {
		r := &requests[i]
		before := last[r.same()]
		if before != nil && r.began.Before(before.ended.Add(before.wait)) {
			found = append(found, fmt.Sprintf("%s was sent again after %v, though Retry-After asked for %v",
				r.call(), r.began.Sub(before.ended).Round(time.Millisecond), before.wait))
		}
		if before != nil && before.lost && before.proxy == lossy && slices.Contains(notRepeated, r.operation) {
			found = append(found,
				fmt.Sprintf("%s (%s) was sent again after its answer was lost: it might be done twice", r.call(), r.operation))
		}
		last[r.same()] = r
		if !strings.HasPrefix(r.operation, "append-") || r.proxy != lossy && r.proxy != busy {
			continue
		}
		keyed := r.same()
		keyed.body = [32]byte{}
		if r.idempotencyKey == "" {
			found = append(found, r.call()+" has no Idempotency-Key: a retry could be counted twice")
		} else if first := bodies[keyed]; first != nil && first.body != r.body {
			found = append(found, r.call()+" has another body than an earlier try with the same Idempotency-Key")
		}
		bodies[keyed] = r
	}
	return found[:min(len(found), shownFindings)]
}

// judgeUserAgent finds requests that do not say which SDK sent them. The harness itself sends none through the proxies.
func (s *Stand) judgeUserAgent(requests []request) (found []string) {
	for i := range requests {
		if !strings.HasPrefix(requests[i].userAgent, s.options.UserAgent) {
			return []string{fmt.Sprintf("%s has the User-Agent %q; it should begin with %q",
				requests[i].call(), requests[i].userAgent, s.options.UserAgent)}
		}
	}
	return nil
}

// judgeLogs compares what a case's logs hold with what they must.
func (s *Stand) judgeLogs(ctx context.Context, c *Case) (found []string, err error) {
	scope, err := s.scope(c)
	if err != nil {
		return nil, err
	}
	for _, want := range c.Logs {
		name := substituteText(want.Log, scope)
		if alone := variableAlone.FindStringSubmatch(want.Log); alone != nil {
			name = fmt.Sprint(scope[alone[1]])
		}
		stored, err := s.events(ctx, name)
		if errors.Is(err, errNoLog) {
			found = append(found, fmt.Sprintf("case %s: log %s is not there: %v", c.Name, name, err))
			continue
		}
		if err != nil {
			return nil, err
		}
		expected, err := substitute(want.Events, scope)
		if err != nil {
			return nil, err
		}
		list, _ := expected.([]any) // a list stays one
		if difference := compareLog(stored, list, want.Count, want.Order == "any"); difference != "" {
			found = append(found, fmt.Sprintf("case %s: log %s %s", c.Name, name, difference))
		}
	}
	return found, nil
}

var errNoLog = errors.New("no log")

// events reads the bytes of all events of a log, past the proxies.
func (s *Stand) events(ctx context.Context, log string) (stored []string, err error) {
	path := s.upstream.JoinPath("logs", log, "events").String() + "?stream=true&format=ndjson"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: reading it answers %s", errNoLog, response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var line struct {
			Data json.RawMessage
			Raw  *string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		if line.Raw != nil {
			stored = append(stored, *line.Raw)
		} else {
			stored = append(stored, string(line.Data))
		}
	}
	return stored, lines.Err()
}

// compareLog returns how a log's events differ from those that it must hold; "" if they do not.
func compareLog(stored []string, want []any, count *int, anyOrder bool) string {
	if count != nil {
		if len(stored) != *count {
			return fmt.Sprintf("has %d events, want %d", len(stored), *count)
		}
		return ""
	}
	if len(stored) != len(want) {
		return fmt.Sprintf("has %d events, want %d: %.300q", len(stored), len(want), stored)
	}
	left := slices.Clone(stored)
	for i := range want {
		at := 0
		if anyOrder {
			if at = slices.IndexFunc(left, func(text string) bool { return isEvent(text, want[i]) }); at < 0 {
				return fmt.Sprintf("lacks %s", encoded(want[i]))
			}
		}
		if !isEvent(left[at], want[i]) {
			return fmt.Sprintf("has as event %d %s, want %s", i+1, left[at], encoded(want[i]))
		}
		left = slices.Delete(left, at, at+1)
	}
	return ""
}

// isEvent reports whether the bytes of an event are what was wanted: these bytes, or an object with these members and no other.
func isEvent(text string, want any) bool {
	if members, isObject := want.(map[string]any); isObject {
		if raw := only(members, "$raw"); raw != nil {
			return raw == text
		}
	}
	value, err := decodeExact([]byte(text))
	return err == nil && equal(value, want)
}

// equal compares values exactly: numbers by their value, objects with all their members.
func equal(value, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		if number := only(want, "$number"); number != nil {
			return equal(value, json.Number(fmt.Sprint(number)))
		}
		members, isObject := value.(map[string]any)
		if !isObject || len(members) != len(want) {
			return false
		}
		for name := range want {
			if member, has := members[name]; !has || !equal(member, want[name]) {
				return false
			}
		}
		return true
	case []any:
		elements, isArray := value.([]any)
		return isArray && slices.EqualFunc(elements, want, equal)
	case json.Number:
		number, isNumber := value.(json.Number)
		return isNumber && sameNumber(number.String(), want.String())
	}
	return reflect.DeepEqual(value, want)
}

func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
