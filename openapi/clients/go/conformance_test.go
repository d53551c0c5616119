package tally_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// conformanceCase is a case of ../conformance, whose README has the format.
type conformanceCase struct {
	Name  string            `json:"name"`
	Proxy string            `json:"proxy"`
	Steps []conformanceStep `json:"steps"`
}

type conformanceStep struct {
	Call   string                     `json:"call"`
	Args   map[string]json.RawMessage `json:"args"`
	Client struct {
		Key      any          `json:"key"`
		Proxy    string       `json:"proxy"`
		Deadline *json.Number `json:"deadline"`
		Timeout  *json.Number `json:"timeout"`
	} `json:"client"`
	Repeat *int              `json:"repeat"`
	Until  bool              `json:"until"`
	Want   json.RawMessage   `json:"want"`
	Error  json.RawMessage   `json:"error"`
	Save   map[string]string `json:"save"`
	Start  string            `json:"start"`
}

// TestConformance runs the cases that every SDK must pass, where the program of ../conformance asks for it.
func TestConformance(t *testing.T) {
	folder := os.Getenv("CONFORMANCE_CASES")
	if folder == "" {
		t.Skip("run it by make test-client-go, or as ../conformance/README.md says")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	only := regexp.MustCompile(os.Getenv("CONFORMANCE_ONLY"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []conformanceCase
		if err := decodeNumbers(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			if only.MatchString(c.Name) {
				t.Run(c.Name, func(t *testing.T) { c.run(t) })
			}
		}
	}
}

func decodeNumbers(text []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(value)
}

// performed is what a step gave.
type performed struct {
	answer json.RawMessage
	err    error
}

// running is a case under way.
type running struct {
	*testing.T
	c       conformanceCase
	scope   map[string]any
	started map[string]chan performed
	steps   map[string]conformanceStep // that were started
}

func (c conformanceCase) run(t *testing.T) {
	r := &running{T: t, c: c, scope: map[string]any{}, started: map[string]chan performed{}, steps: map[string]conformanceStep{}}
	if err := decodeNumbers([]byte(os.Getenv("CONFORMANCE_VARIABLES")), &r.scope); err != nil {
		t.Fatal(err)
	}
	run := os.Getenv("CONFORMANCE_RUN")
	r.scope["run"], r.scope["log"], r.scope["name"] = run, c.Name+"-"+run, c.Name+"-"+run
	for i, step := range c.Steps {
		for n := range repeats(step.Repeat) {
			r.scope["i"] = json.Number(strconv.Itoa(n))
			if err := r.step(step); err != nil {
				t.Fatalf("step %d, %s: %v", i+1, step.Call, err)
			}
		}
	}
	report, err := os.OpenFile(os.Getenv("CONFORMANCE_REPORT"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintln(report, c.Name)
	if err := errors.Join(err, report.Close()); err != nil {
		t.Fatal(err)
	}
}

// step performs a step, as often as it says, and compares.
func (r *running) step(s conformanceStep) error {
	switch {
	case s.Call == "$join":
		name := fmt.Sprint(r.value(s.Args["step"]))
		return r.judge(r.steps[name], <-r.started[name])
	case s.Start != "":
		done := make(chan performed, 1)
		perform := r.prepare(s)
		go func() { done <- perform() }()
		r.started[s.Start], r.steps[s.Start] = done, s
		return nil
	}
	for end := time.Now().Add(30 * time.Second); ; {
		err := r.judge(s, r.prepare(s)())
		if err == nil || !s.Until || time.Now().After(end) {
			return err
		}
		<-time.After(100 * time.Millisecond)
	}
}

// prepare returns the step's call, with its arguments as they are now.
func (r *running) prepare(s conformanceStep) func() performed {
	args := arguments{T: r.T, scope: maps.Clone(r.scope), members: map[string]any{}}
	for name, text := range s.Args {
		args.members[name] = r.value(text)
	}
	if harness, ok := harnessCalls[s.Call]; ok {
		return func() performed { return performed{json.RawMessage("null"), harness(args)} }
	}
	call, ok := conformanceCalls[s.Call]
	if !ok {
		r.Fatalf("the runner does not know the call %s", s.Call)
	}
	proxy := cmp.Or(s.Client.Proxy, r.c.Proxy, "direct")
	url := os.Getenv("TALLY_URL")
	if proxy != "direct" {
		url = os.Getenv("CONFORMANCE_" + strings.ToUpper(proxy) + "_URL")
	}
	o := tally.Options{URL: url, Tenant: args.text("tenant_option"), Actor: args.text("actor")}
	if _, inPath := pathTenant[s.Call]; !inPath {
		o.Tenant = args.text("tenant")
	}
	if s.Client.Key != nil {
		o.Key = fmt.Sprint(r.substitute(s.Client.Key))
		o.Anonymous = o.Key == ""
	}
	o.Deadline, o.Timeout = seconds(s.Client.Deadline), seconds(s.Client.Timeout)
	client, err := tally.New(o)
	if err != nil {
		r.Fatal(err)
	}
	return func() performed {
		defer client.Close()
		answer, err := call(r.Context(), client, args)
		if raw, ok := answer.(json.RawMessage); ok && err == nil {
			return performed{raw, nil}
		}
		text, marshalErr := json.Marshal(answer)
		return performed{text, errors.Join(err, marshalErr)}
	}
}

// pathTenant are the operations whose tenant is in their path.
var pathTenant = map[string]bool{"get-tenant": true, "update-tenant": true}

func seconds(n *json.Number) time.Duration {
	if n == nil {
		return 0
	}
	f, _ := n.Float64()
	return time.Duration(f * float64(time.Second))
}

// judge compares what a step gave with what it is to give.
func (r *running) judge(s conformanceStep, got performed) error {
	if s.Error != nil {
		var e *tally.Error
		if !errors.As(got.err, &e) {
			return fmt.Errorf("it gave %s and %w, not an error of the client's", got.answer, got.err)
		}
		return matches(r.pattern(s.Error), describeError(e), "error")
	}
	if got.err != nil {
		return got.err
	}
	if s.Want != nil {
		if err := matches(r.pattern(s.Want), got.answer, "answer"); err != nil {
			return fmt.Errorf("%w in %.2000s", err, got.answer)
		}
	}
	for name, pointer := range s.Save {
		found, err := follow(got.answer, pointer)
		if err != nil {
			return err
		}
		var value any
		if err := decodeNumbers(found, &value); err != nil {
			return err
		}
		r.scope[name] = value
	}
	return nil
}

// describeError is an error as cases see it.
func describeError(e *tally.Error) json.RawMessage {
	o := map[string]any{
		"code": e.Code, "detail": e.Detail, "head": e.Head, "sequence": e.Sequence, "line": e.Line, "log_id": e.LogID, "fields": e.Fields,
		"view": e.View, "answer": e.Answer,
		"retry_after": json.Number(strconv.Itoa(int(e.RetryAfter / time.Second))), "request_id": e.RequestID,
	}
	if e.Status != 0 {
		o["status"] = e.Status
	}
	text, _ := json.Marshal(o) // plain values
	return text
}

// follow follows a JSON pointer.
func follow(text json.RawMessage, pointer string) (json.RawMessage, error) {
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		var object map[string]json.RawMessage
		var array []json.RawMessage
		if json.Unmarshal(text, &object) == nil {
			text = object[part]
		} else if n, err := strconv.Atoi(part); err == nil && json.Unmarshal(text, &array) == nil && n < len(array) {
			text = array[n]
		} else {
			text = nil
		}
		if text == nil {
			return nil, fmt.Errorf("the answer has no %s", pointer)
		}
	}
	return text, nil
}

// harnessCalls have nothing to do with the client.
var harnessCalls = map[string]func(arguments) error{
	"$restart": func(a arguments) error {
		url := os.Getenv("CONFORMANCE_CONTROL_URL") + "/restart?how=" + a.text("how")
		request, err := http.NewRequestWithContext(a.Context(), http.MethodPost, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer http.DefaultClient.CloseIdleConnections()
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusNoContent {
			return fmt.Errorf("restarting: %s, %w", response.Status, err)
		}
		return nil
	},
	"$wait": func(a arguments) error {
		n := a.number("seconds")
		<-time.After(seconds(&n))
		return nil
	},
}

// value reads an argument: its special objects, and its variables.
func (r *running) value(text json.RawMessage) any {
	var v any
	if err := decodeNumbers(text, &v); err != nil {
		r.Fatalf("%s: %v", text, err)
	}
	return r.resolve(v)
}

func (r *running) resolve(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			for name, inner := range v {
				if special, ok := r.special(name, inner); ok {
					return special
				}
			}
		}
		o := map[string]any{}
		for name, inner := range v {
			o[fmt.Sprint(r.substitute(name))] = r.resolve(inner)
		}
		return o
	case []any:
		list := []any{}
		for _, inner := range v {
			if many, ok := r.resolve(inner).(copies); ok {
				list = append(list, many...)
			} else {
				list = append(list, r.resolve(inner))
			}
		}
		return list
	}
	return r.substitute(v)
}

// copies is what {"$events": …} stands for.
type copies []any

func (r *running) special(name string, inner any) (any, bool) {
	switch name {
	case "$raw":
		return json.RawMessage(fmt.Sprint(r.substitute(inner))), true
	case "$base64":
		data, err := base64.StdEncoding.DecodeString(fmt.Sprint(inner))
		if err != nil {
			r.Fatal(err)
		}
		return data, true
	case "$file":
		data, err := os.ReadFile(filepath.Join(os.Getenv("CONFORMANCE_FILES"), fmt.Sprint(r.substitute(inner))))
		if err != nil {
			r.Fatal(err)
		}
		return data, true
	case "$number":
		return json.Number(fmt.Sprint(r.substitute(inner))), true
	case "$literal":
		return inner, true
	case "$events":
		o := inner.(map[string]any)
		count, err := strconv.Atoi(fmt.Sprint(o["count"]))
		if err != nil {
			r.Fatal(err)
		}
		before, all := r.scope["i"], make(copies, count)
		for i := range count {
			r.scope["i"] = json.Number(strconv.Itoa(i))
			all[i] = r.resolve(o["event"])
		}
		r.scope["i"] = before
		return all, true
	}
	return nil, false
}

func repeats(n *int) int {
	if n == nil {
		return 1
	}
	return *n
}
