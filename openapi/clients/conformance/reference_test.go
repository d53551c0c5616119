package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reference is a client and a runner without an SDK: it makes requests of the document and the cases alone, and so shows that the cases are
// right whatever the SDKs do. habits are what it does wrong on purpose.
type reference struct {
	env    map[string]string
	stand  *Stand
	habits habits
}

// habits are mistakes that the judge must find.
type habits struct {
	newKeys       bool // each try has another key
	hasty         bool // Retry-After is not waited for
	repeatsAll    bool // what is not safe to repeat is sent again, too
	roundsNumbers bool // events pass through doubles
	silent        bool // requests have no User-Agent
}

const referenceAgent = "tally-reference/1"

// refusal is an error as a case sees it: a problem, or {"code": "connection"}.
type refusal struct{ members json.RawMessage }

func (r *refusal) Error() string { return string(r.members) }

var connectionLost = &refusal{json.RawMessage(`{"code":"connection"}`)}

// safe are operations that may be sent again, besides reads.
var safe = map[string]bool{
	"append-event": true, "append-events": true, "ensure-log": true, "put-module": true, "deploy-view": true, "deploy-view-pattern": true,
	"put-source": true, "delete-source": true, "send-events": true, "send-openmeter-events": true, "send-otlp-logs": true,
	"send-otlp-traces": true, "put-alert": true, "test-alert": true,
}

// call is one call of an operation.
type call struct {
	operation *operation
	url       string
	key       string
	header    http.Header
	body      []byte
	deadline  time.Duration
}

// prepare makes a call of a step's arguments.
func (r *reference) prepare(step *Step, proxy string, args map[string]any, scope map[string]any) (*call, error) {
	o := r.stand.document.byID(step.Call)
	if o == nil {
		return nil, fmt.Errorf("the document has no operation %s", step.Call)
	}
	c := &call{operation: o, key: r.env["TALLY_KEY"], header: http.Header{}, deadline: time.Minute}
	if r.habits.newKeys { // no try of it is ever answered
		c.deadline = time.Second
	}
	if step.Client != nil {
		proxy = cmp.Or(step.Client.Proxy, proxy)
		if step.Client.Key != nil {
			c.key = fmt.Sprint(must(substitute(*step.Client.Key, scope)))
		}
		if step.Client.Deadline > 0 {
			c.deadline = time.Duration(step.Client.Deadline * float64(time.Second))
		}
	}
	path, query := o.Path, url.Values{}
	used := map[string]bool{}
	parameters := slices.Clone(o.parameters) // tenant is that of the path, where there is one
	slices.SortStableFunc(parameters, func(a, b parameter) int { return cmp.Compare(orderOf[a.In], orderOf[b.In]) })
	for _, p := range parameters {
		name := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(p.Name), "tally-"), "-", "_")
		value, given := args[name]
		if !given || used[name] {
			continue
		}
		used[name] = true
		text := textOf(value)
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(text))
		case "query":
			if p.Name != "question" {
				query.Set(p.Name, text)
				break
			}
			for member, value := range value.(map[string]any) {
				query.Set(member, textOf(value))
			}
		case "header":
			c.header.Set(p.Name, text)
		}
	}
	for _, name := range []string{"event", "events", "body"} {
		if value, given := args[name]; given {
			used[name] = true
			c.body = r.body(value, name == "events")
		}
	}
	for name := range args {
		if !used[name] {
			return nil, fmt.Errorf("%s has no argument %s", step.Call, name)
		}
	}
	c.url = r.env[environmentOf(proxy)] + path
	if len(query) > 0 {
		c.url += "?" + query.Encode()
	}
	return c, nil
}

var orderOf = map[string]int{"path": 0, "query": 1, "header": 2}

func environmentOf(proxy string) string {
	if proxy == "" || proxy == direct {
		return "TALLY_URL"
	}
	return "CONFORMANCE_" + strings.ToUpper(proxy) + "_URL"
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func textOf(value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	return string(encoded(value))
}

// body encodes a body as it is to be sent.
func (r *reference) body(value any, lines bool) []byte {
	if members, isObject := value.(map[string]any); isObject {
		switch {
		case only(members, "$raw") != nil:
			return []byte(fmt.Sprint(only(members, "$raw")))
		case only(members, "$base64") != nil:
			return must(base64.StdEncoding.DecodeString(fmt.Sprint(only(members, "$base64"))))
		case only(members, "$file") != nil:
			return must(os.ReadFile(filepath.Join(r.env["CONFORMANCE_FILES"], fmt.Sprint(only(members, "$file")))))
		}
	}
	if elements, isList := value.([]any); isList && lines {
		texts := make([][]byte, len(elements))
		for i, element := range elements {
			texts[i] = r.body(element, false)
		}
		if body := bytes.Join(texts, []byte("\n")); bytes.Count(body, []byte("\n")) == len(texts)-1 {
			return body
		}
		return slices.Concat([]byte("["), bytes.Join(texts, []byte(",")), []byte("]")) // line breaks are part of an event's bytes
	}
	value = plain(value)
	if r.habits.roundsNumbers {
		var rounded any
		_ = json.Unmarshal(encoded(value), &rounded)
		value = rounded
	}
	return encoded(value)
}

// plain replaces what stands for numbers.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if number := only(value, "$number"); number != nil {
			return json.Number(fmt.Sprint(number))
		}
		members := map[string]any{}
		for name := range value {
			members[name] = plain(value[name])
		}
		return members
	case []any:
		list := []any{}
		for _, element := range value {
			list = append(list, plain(element))
		}
		return list
	}
	return value
}

// do performs a call, with tries.
func (r *reference) do(ctx context.Context, c *call) (json.RawMessage, error) {
	end := time.Now().Add(c.deadline)
	appends := strings.HasPrefix(c.operation.ID, "append-")
	ownKey := appends && c.header.Get("Idempotency-Key") == ""
	repeats := c.operation.Method == http.MethodGet || safe[c.operation.ID] || r.habits.repeatsAll
	for try := 1; ; try++ {
		if ownKey && (try == 1 || r.habits.newKeys) {
			c.header.Set("Idempotency-Key", rand.Text())
		}
		response, answer, err := r.once(ctx, c)
		if err == nil && response.StatusCode < http.StatusMultipleChoices {
			if ownKey && try > 1 {
				answer = bytes.ReplaceAll(answer, []byte(`"duplicate":true`), []byte(`"duplicate":false`))
			}
			return answer, nil
		}
		failure, wait, again := connectionLost, time.Duration(0), repeats
		if err == nil {
			header := response.Header.Get("Retry-After")
			seconds, parseErr := strconv.Atoi(header)
			final := bytes.Contains(answer, []byte(`"code":"refused_by_guard"`)) // whenever there may be room
			wait, again = time.Duration(seconds)*time.Second, repeats && parseErr == nil && !final
			failure = &refusal{answer}
			if parseErr == nil && json.Valid(answer) {
				failure = &refusal{append(bytes.TrimSuffix(bytes.TrimSpace(answer), []byte("}")), `,"retry_after":`+header+`}`...)}
			}
		}
		if r.habits.hasty {
			wait = 0
		}
		if !again || time.Now().Add(wait).After(end) {
			return nil, failure
		}
		time.Sleep(wait + 5*time.Millisecond) //nolint:forbidigo // Retry-After is a time
	}
}

func (r *reference) once(ctx context.Context, c *call) (*http.Response, json.RawMessage, error) {
	request, err := http.NewRequestWithContext(ctx, c.operation.Method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, nil, err
	}
	request.GetBody = nil // net/http would send it again by itself
	request.Header = c.header.Clone()
	request.Header.Set("User-Agent", referenceAgent)
	if r.habits.silent {
		request.Header.Set("User-Agent", "")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, nil, err
	case len(answer) == 0:
		answer = []byte("null")
	case !json.Valid(answer):
		answer = encoded(string(answer))
	}
	return response, answer, nil
}

// errOfLayer is returned for calls of the layers above the operations, which the reference does not have.
var errOfLayer = errors.New("not an operation")

// performCase performs a case.
func (r *reference) performCase(ctx context.Context, c *Case) error {
	scope, err := r.stand.scope(c)
	if err != nil {
		return err
	}
	for i := range c.Steps {
		step := &c.Steps[i]
		for n := range max(step.Repeat, 1) {
			scope["i"] = json.Number(strconv.Itoa(n))
			if err := r.performStep(ctx, c, step, scope); err != nil {
				return fmt.Errorf("step %d (%s): %w", i+1, step.Call, err)
			}
		}
	}
	return nil
}

// lists are the operations whose pages a call of the layer goes over.
var lists = map[string]string{
	"events": "list-events", "logs": "list-logs", "keys": "list-keys", "modules": "list-modules",
	"tenants": "list-tenants", "sources": "list-sources",
	"audit-log": "list-audit-log", "view-versions": "list-view-versions", "source-versions": "list-source-versions",
	"view-states": "list-view-states",
	"webhooks":    "list-webhooks", "deliveries": "list-deliveries", "alerts": "list-alerts", "crossings": "list-crossings",
}

func (r *reference) performStep(ctx context.Context, c *Case, step *Step, scope map[string]any) error {
	known := r.stand.document.byID(step.Call) != nil && step.Call != "tail-events" && step.Call != "watch-view"
	if !known && lists[step.Call] == "" {
		return errOfLayer
	}
	args, err := substitute(step.Args, scope)
	if err != nil {
		return err
	}
	arguments, _ := args.(map[string]any)
	until := time.Now().Add(30 * time.Second)
	for {
		var answer json.RawMessage
		if known {
			answer, err = r.operate(ctx, c, step, arguments, scope)
		} else {
			answer, err = r.pages(ctx, c, step, arguments, scope)
		}
		if err = r.compare(step, answer, err, scope); err == nil || !step.Until || time.Now().After(until) {
			return err
		}
		time.Sleep(100 * time.Millisecond) //nolint:forbidigo // as the format says
	}
}

func (r *reference) operate(ctx context.Context, c *Case, step *Step, args, scope map[string]any) (json.RawMessage, error) {
	prepared, err := r.prepare(step, c.Proxy, args, scope)
	if err != nil {
		return nil, err
	}
	return r.do(ctx, prepared)
}

// pages goes over all pages of a list and returns its items.
func (r *reference) pages(ctx context.Context, c *Case, step *Step, args, scope map[string]any) (json.RawMessage, error) {
	list, arguments := *step, map[string]any{}
	maps.Copy(arguments, args)
	list.Call = lists[step.Call]
	most := -1
	if take, given := arguments["take"]; given {
		most = must(strconv.Atoi(textOf(take)))
		delete(arguments, "take")
	}
	items := []json.RawMessage{}
	for {
		answer, err := r.operate(ctx, c, &list, arguments, scope)
		if err != nil {
			return nil, err
		}
		var page map[string]json.RawMessage
		if err := json.Unmarshal(answer, &page); err != nil {
			return nil, err
		}
		for name, value := range page {
			if elements, isArray := elementsOf(value); isArray && name != "actions" {
				items = append(items, elements...)
			}
		}
		if most >= 0 && len(items) >= most {
			return joined(items[:most]), nil
		}
		if page["next_cursor"] == nil {
			return joined(items), nil
		}
		arguments["cursor"] = must(decodeExact(page["next_cursor"]))
	}
}

// joined makes an array of texts as they are: encoding would leave white space out.
func joined(elements []json.RawMessage) json.RawMessage {
	text := []byte("[")
	for i, element := range elements {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, element...)
	}
	return append(text, ']')
}
