package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Case is a case as README.md describes it.
type Case struct {
	Name  string
	About string
	Proxy string
	Steps []Step
	Logs  []LogWant
}

// Step is a step of a case.
type Step struct {
	Call   string
	Args   map[string]any
	Client *ClientOptions
	Repeat int
	Until  bool
	Want   json.RawMessage
	Error  json.RawMessage
	Save   map[string]string
	Start  string
}

// ClientOptions are those of one step's client.
type ClientOptions struct {
	Key               *string
	Proxy             string
	Deadline, Timeout float64 // seconds
}

// LogWant is what a log must hold after its case.
type LogWant struct {
	Log    string
	Events []any
	Count  *int
	Order  string
}

// readCases reads all cases of a folder, in the order in which runners perform them.
func readCases(folder string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var cases []Case
	names := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // of this repository
		if err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		decoder.DisallowUnknownFields()
		var list []Case
		if err := decoder.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for i := range list {
			if other := names[list[i].Name]; other != "" {
				return nil, fmt.Errorf("%s and %s both have the case %s", other, file, list[i].Name)
			}
			names[list[i].Name] = file
		}
		cases = append(cases, list...)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s holds no cases", folder)
	}
	return cases, nil
}

// chosen returns the cases that this run has.
func (s *Stand) chosen() []Case {
	var list []Case
	for _, c := range s.cases {
		if s.options.Only == nil || s.options.Only.MatchString(c.Name) {
			list = append(list, c)
		}
	}
	return list
}

// scope returns the variables that a case begins with.
func (s *Stand) scope(c *Case) (map[string]any, error) {
	variables, err := s.variables()
	if err != nil {
		return nil, err
	}
	scope := map[string]any{"run": s.run, "log": c.Name + "-" + s.run, "name": c.Name + "-" + s.run}
	for name, value := range variables {
		scope[name] = value
	}
	return scope, nil
}

var (
	variableInText = regexp.MustCompile(`\$\{([a-z_][a-z0-9_]*)\}`)
	variableAlone  = regexp.MustCompile(`^\$([a-z_][a-z0-9_]*)$`)
)

// substitute returns a value with its variables replaced, and lists of copies written out.
func substitute(value any, scope map[string]any) (any, error) {
	switch value := value.(type) {
	case string:
		if found := variableAlone.FindStringSubmatch(value); found != nil {
			if replacement, ok := scope[found[1]]; ok {
				return replacement, nil
			}
		}
		return substituteText(value, scope), nil
	case []any:
		list := make([]any, 0, len(value))
		for _, element := range value {
			copies, err := copiesOf(element, scope)
			if err != nil {
				return nil, err
			}
			list = append(list, copies...)
		}
		return list, nil
	case map[string]any:
		if only(value, "$literal") != nil {
			return value, nil
		}
		if only(value, "$events") != nil { // in the place of a list
			return copiesOf(value, scope)
		}
		members := make(map[string]any, len(value))
		for name, member := range value {
			replaced, err := substitute(member, scope)
			if err != nil {
				return nil, err
			}
			members[substituteText(name, scope)] = replaced
		}
		return members, nil
	}
	return value, nil
}

func substituteText(text string, scope map[string]any) string {
	return variableInText.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := scope[found[2:len(found)-1]]
		if !ok {
			return found
		}
		if text, isText := value.(string); isText {
			return text
		}
		return string(encoded(value))
	})
}

// copiesOf returns an element of a list, or the elements that it stands for.
func copiesOf(element any, scope map[string]any) ([]any, error) {
	members, isObject := element.(map[string]any)
	copies, isCopies := only(members, "$events").(map[string]any)
	if !isObject || !isCopies {
		one, err := substitute(element, scope)
		return []any{one}, err
	}
	number, isNumber := copies["count"].(json.Number)
	count, err := number.Int64()
	if !isNumber || err != nil {
		return nil, errors.New("$events has no count")
	}
	list := make([]any, 0, count)
	for i := range count {
		inner := maps.Clone(scope)
		inner["i"] = json.Number(fmt.Sprint(i))
		one, err := substitute(copies["event"], inner)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// only returns the value of the object's one member, if that has the name; else nil.
func only(members map[string]any, name string) any {
	if len(members) != 1 {
		return nil
	}
	return members[name]
}

// decodeExact decodes JSON, with numbers as their text.
func decodeExact(text []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one value: %s", strings.TrimSpace(string(text)))
	}
	return value, nil
}
