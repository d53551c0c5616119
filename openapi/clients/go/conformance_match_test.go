package tally_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`\$\{([a-z_][a-z0-9_]*)\}`)

// substitute replaces variables in a text; anything else stays as it is.
func (r *running) substitute(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if name, ok := strings.CutPrefix(text, "$"); ok {
		if value, ok := r.scope[name]; ok {
			return value
		}
	}
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := r.scope[found[2:len(found)-1]]
		if !ok {
			return found
		}
		if text, ok := value.(string); ok {
			return text
		}
		encoded, _ := json.Marshal(value) // it came from JSON
		return string(encoded)
	})
}

// pattern reads a pattern, with its variables replaced.
func (r *running) pattern(text json.RawMessage) any {
	var v any
	if err := decodeNumbers(text, &v); err != nil {
		r.Fatalf("%s: %v", text, err)
	}
	return r.replaced(v)
}

func (r *running) replaced(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v["$literal"]; ok && len(v) == 1 {
			return map[string]any{"$literal": inner}
		}
		o := map[string]any{}
		for name, inner := range v {
			o[fmt.Sprint(r.substitute(name))] = r.replaced(inner)
		}
		return o
	case []any:
		list := []any{}
		for _, inner := range v {
			list = append(list, r.replaced(inner))
		}
		return list
	}
	return r.substitute(v)
}

// matches compares a value, as the client gave its text (nil: there is none), with a pattern.
func matches(pattern any, got json.RawMessage, where string) error {
	wrong := fmt.Errorf("%s is %.300s, want %.300s", where, got, encoded(pattern))
	if o, ok := pattern.(map[string]any); ok && len(o) == 1 {
		for name, inner := range o {
			if holds, ok := conditions[name]; ok {
				if !holds(inner, got) {
					return wrong
				}
				return nil
			}
		}
	}
	var value any
	if got == nil || decodeNumbers(got, &value) != nil {
		return wrong
	}
	switch pattern := pattern.(type) {
	case map[string]any:
		var members map[string]json.RawMessage
		if json.Unmarshal(got, &members) != nil || members == nil {
			return wrong
		}
		for name, inner := range pattern {
			if err := matches(inner, members[name], where+"/"+name); err != nil {
				return err
			}
		}
		return nil
	case []any:
		var elements []json.RawMessage
		if json.Unmarshal(got, &elements) != nil || len(elements) != len(pattern) {
			return wrong
		}
		for i, inner := range pattern {
			if err := matches(inner, elements[i], fmt.Sprint(where, "/", i)); err != nil {
				return err
			}
		}
		return nil
	case json.Number:
		if n, ok := value.(json.Number); ok && rational(n).Cmp(rational(pattern)) == 0 {
			return nil
		}
		return wrong
	}
	if value == pattern {
		return nil
	}
	return wrong
}

func encoded(v any) []byte {
	text, _ := json.Marshal(v) // it came from JSON
	return text
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		panic("no number: " + n.String())
	}
	return r
}

// conditions are patterns of one member. They are set by init, since some of them match patterns within.
var conditions map[string]func(want any, got json.RawMessage) bool

func init() {
	conditions = map[string]func(want any, got json.RawMessage) bool{
		"$raw":     func(want any, got json.RawMessage) bool { return string(got) == want },
		"$literal": func(want any, got json.RawMessage) bool { return equal(want, got) },
		"$number": func(want any, got json.RawMessage) bool {
			return matches(json.Number(fmt.Sprint(want)), got, "") == nil
		},
		"$type": isType,
		"$falsy": func(_ any, got json.RawMessage) bool {
			switch string(bytes.TrimSpace(got)) {
			case "", "null", "false", `""`, "0", "[]":
				return true
			}
			return false
		},
		"$has": func(want any, got json.RawMessage) bool {
			var text string
			return json.Unmarshal(got, &text) == nil && strings.Contains(text, fmt.Sprint(want))
		},
		"$least": func(want any, got json.RawMessage) bool {
			var n json.Number
			return got != nil && json.Unmarshal(got, &n) == nil && rational(n).Cmp(rational(want.(json.Number))) >= 0
		},
		"$length": func(want any, got json.RawMessage) bool {
			var list []json.RawMessage
			return json.Unmarshal(got, &list) == nil && fmt.Sprint(len(list)) == fmt.Sprint(want)
		},
		"$contains": func(want any, got json.RawMessage) bool {
			var list []json.RawMessage
			if json.Unmarshal(got, &list) != nil {
				return false
			}
			for _, pattern := range want.([]any) {
				found := false
				for _, element := range list {
					found = found || matches(pattern, element, "") == nil
				}
				if !found {
					return false
				}
			}
			return true
		},
		"$exactly": func(want any, got json.RawMessage) bool {
			var members map[string]json.RawMessage
			return json.Unmarshal(got, &members) == nil && members != nil && len(members) == len(want.(map[string]any)) &&
				(len(members) == 0 || matches(want, got, "") == nil)
		},
		"$not": func(want any, got json.RawMessage) bool { return matches(want, got, "") != nil },
		"$either": func(want any, got json.RawMessage) bool {
			for _, pattern := range want.([]any) {
				if matches(pattern, got, "") == nil {
					return true
				}
			}
			return false
		},
	}
}

func isType(want any, got json.RawMessage) bool {
	var value any
	if got == nil || decodeNumbers(got, &value) != nil {
		return false
	}
	switch v := value.(type) {
	case string:
		return want == "string"
	case json.Number:
		return want == "number" || want == "integer" && rational(v).IsInt()
	case bool:
		return want == "boolean"
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	}
	return false
}

// equal compares with a literal, in which nothing is a condition.
func equal(want any, got json.RawMessage) bool {
	var value any
	return got != nil && decodeNumbers(got, &value) == nil && bytes.Equal(encoded(want), encoded(value))
}
