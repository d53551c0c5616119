package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// compare compares the outcome of a step with what it wants, and saves variables.
func (r *reference) compare(step *Step, answer json.RawMessage, err error, scope map[string]any) error {
	var refused *refusal
	switch {
	case err != nil && (!errors.As(err, &refused) || step.Error == nil):
		return err
	case err == nil && step.Error != nil:
		return fmt.Errorf("it succeeded with %s", answer)
	case err != nil:
		return matchText(refused.members, step.Error, scope)
	}
	if step.Want != nil {
		if err := matchText(answer, step.Want, scope); err != nil {
			return err
		}
	}
	for name, pointer := range step.Save {
		value := answer
		for _, token := range strings.Split(pointer, "/")[1:] {
			value = child(value, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
		}
		if value == nil {
			return fmt.Errorf("the answer has nothing at %s: %s", pointer, answer)
		}
		scope[name] = must(decodeExact(value))
	}
	return nil
}

func child(value json.RawMessage, token string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) == nil {
		return members[token]
	}
	var elements []json.RawMessage
	index, err := strconv.Atoi(token)
	if json.Unmarshal(value, &elements) != nil || err != nil || index >= len(elements) {
		return nil
	}
	return elements[index]
}

func matchText(value, pattern json.RawMessage, scope map[string]any) error {
	want, err := decodeExact(pattern)
	if err != nil {
		return err
	}
	if want, err = substitute(want, scope); err != nil {
		return err
	}
	if !match(value, want) {
		return fmt.Errorf("%s does not match %s", value, encoded(want))
	}
	return nil
}

// match compares an answer's text with a pattern; nil is what is missing.
func match(value json.RawMessage, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		for name, condition := range conditions {
			if argument := only(want, name); argument != nil {
				return condition(value, argument)
			}
		}
		return matchMembers(value, want)
	case []any:
		elements, isArray := elementsOf(value)
		return isArray && slices.EqualFunc(elements, want, match)
	case json.Number:
		return numberEquals(value, want.String())
	}
	return value != nil && bytes.Equal(encoded(must(decodeExact(value))), encoded(want))
}

func matchMembers(value json.RawMessage, want map[string]any) bool {
	var members map[string]json.RawMessage
	if value == nil || json.Unmarshal(value, &members) != nil || members == nil {
		return false
	}
	for name := range want {
		if !match(members[name], want[name]) {
			return false
		}
	}
	return true
}

func elementsOf(value json.RawMessage) (elements []json.RawMessage, isArray bool) {
	return elements, value != nil && json.Unmarshal(value, &elements) == nil && elements != nil
}

func numberEquals(value json.RawMessage, want string) bool {
	return typeOf(value) == "number" && sameNumber(string(value), want)
}

func typeOf(value json.RawMessage) string {
	if value == nil {
		return "nothing"
	}
	switch value[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

var conditions map[string]func(value json.RawMessage, argument any) bool

func init() { // they refer to match
	conditions = map[string]func(value json.RawMessage, argument any) bool{
		"$raw":    func(value json.RawMessage, argument any) bool { return string(value) == argument },
		"$number": func(value json.RawMessage, argument any) bool { return numberEquals(value, fmt.Sprint(argument)) },
		"$type": func(value json.RawMessage, argument any) bool {
			if argument != "integer" {
				return typeOf(value) == argument
			}
			number, ok := new(big.Rat).SetString(string(value))
			return ok && number.IsInt()
		},
		"$falsy": func(value json.RawMessage, _ any) bool {
			return slices.Contains([]string{"", "null", "false", `""`, "0", "[]"}, string(value))
		},
		"$has": func(value json.RawMessage, argument any) bool {
			text, isText := must(decodeExact(value)).(string)
			return isText && strings.Contains(text, fmt.Sprint(argument))
		},
		"$least": func(value json.RawMessage, argument any) bool {
			number, ok := new(big.Rat).SetString(string(value))
			least, _ := new(big.Rat).SetString(fmt.Sprint(argument))
			return ok && number.Cmp(least) >= 0
		},
		"$length": func(value json.RawMessage, argument any) bool {
			elements, isArray := elementsOf(value)
			return isArray && strconv.Itoa(len(elements)) == fmt.Sprint(argument)
		},
		"$contains": func(value json.RawMessage, argument any) bool {
			elements, isArray := elementsOf(value)
			for _, want := range argument.([]any) {
				isArray = isArray && slices.ContainsFunc(elements, func(one json.RawMessage) bool { return match(one, want) })
			}
			return isArray
		},
		"$exactly": func(value json.RawMessage, argument any) bool {
			want := argument.(map[string]any)
			var members map[string]json.RawMessage
			return matchMembers(value, want) && json.Unmarshal(value, &members) == nil && len(members) == len(want)
		},
		"$not": func(value json.RawMessage, argument any) bool { return !match(value, argument) },
		"$either": func(value json.RawMessage, argument any) bool {
			return slices.ContainsFunc(argument.([]any), func(one any) bool { return match(value, one) })
		},
		"$literal": func(value json.RawMessage, argument any) bool {
			return value != nil && equal(must(decodeExact(value)), argument)
		},
	}
}
