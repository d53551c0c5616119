package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// outputAnswer is the form of an answer that the view gives it.
const outputAnswer = "answer"

// member is a name with a value: a JSON text, or members, or elements.
type member struct {
	name  string
	value any // jsonText, []member, []any
}

// jsonText is a value that is no object and no array: a text without its quotes, or as it is written.
type jsonText string

// readJSON reads a value with its members in their order, and its numbers as they are written.
func readJSON(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		members := []member{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := readJSON(d)
			if err != nil {
				return nil, err
			}
			members = append(members, member{fmt.Sprint(name), value})
		}
		_, err = d.Token()
		return members, err
	case json.Delim('['):
		elements := []any{}
		for d.More() {
			element, err := readJSON(d)
			if err != nil {
				return nil, err
			}
			elements = append(elements, element)
		}
		_, err = d.Token()
		return elements, err
	case nil:
		return jsonText(""), nil
	}
	return jsonText(fmt.Sprint(token)), nil
}

var errNoJSON = errors.New("the view's answer is no JSON: --output " + outputAnswer + " prints it")

// answerTable lays a view's answer out as rows: those of the list that it holds, or one for each of the named objects that it consists of,
// or else itself as the only one. Objects in a row become columns of their own, such as group.model.
type answerTable struct {
	names []string
	rows  []map[string]string
}

// layOut reads an answer.
func layOut(answer []byte) (*answerTable, error) {
	if !json.Valid(answer) {
		return nil, errNoJSON
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	value, err := readJSON(d)
	if err != nil {
		return nil, fmt.Errorf("reading the view's answer: %w", err)
	}
	t := &answerTable{}
	t.add(nil, value)
	return t, nil
}

// add adds the rows of a value; keys are the names on the way to it.
func (t *answerTable) add(keys []string, value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			t.addRow(keys, element)
		}
	case []member:
		if list := listAmong(value); list != nil {
			t.add(keys, list)
			return
		}
		nested := len(value) > 0 && !slices.ContainsFunc(value, func(m member) bool { return !isObject(m.value) })
		for _, m := range value {
			if nested {
				t.add(append(slices.Clone(keys), m.name), m.value)
			}
		}
		if !nested {
			t.addRow(keys, value)
		}
	default:
		t.addRow(keys, value)
	}
}

// listAmong returns the one member that is a list of objects, if there is one.
func listAmong(members []member) []any {
	var found []any
	for _, m := range members {
		list, ok := m.value.([]any)
		if !ok || len(list) > 0 && !isObject(list[0]) {
			continue
		}
		if found != nil {
			return nil
		}
		found = list
	}
	return found
}

func isObject(value any) bool {
	_, ok := value.([]member)
	return ok
}

func (t *answerTable) addRow(keys []string, value any) {
	row := map[string]string{}
	for i, key := range keys {
		name := "key"
		if i > 0 {
			name = fmt.Sprintf("key_%d", i+1)
		}
		t.set(row, name, key)
	}
	t.fill(row, "", value)
	t.rows = append(t.rows, row)
}

func (t *answerTable) fill(row map[string]string, name string, value any) {
	if members, ok := value.([]member); ok {
		for _, m := range members {
			t.fill(row, strings.TrimPrefix(name+"."+m.name, "."), m.value)
		}
		return
	}
	if name == "" {
		name = "value"
	}
	t.set(row, name, inCell(value))
}

func (t *answerTable) set(row map[string]string, name, value string) {
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
	row[name] = value
}

// inCell is a value as a text; lists have commas between.
func inCell(value any) string {
	switch value := value.(type) {
	case jsonText:
		return string(value)
	case []any:
		var texts []string
		for _, element := range value {
			texts = append(texts, inCell(element))
		}
		return strings.Join(texts, ",")
	case []member:
		var texts []string
		for _, m := range value {
			texts = append(texts, m.name+"="+inCell(m.value))
		}
		return strings.Join(texts, " ")
	}
	return fmt.Sprint(value)
}

// writeTable writes it for people.
func (t *answerTable) writeTable(w io.Writer) error {
	if len(t.names) == 0 {
		return nil // there is nothing in it
	}
	lines := [][]cell{{}}
	for _, name := range t.names {
		lines[0] = append(lines[0], cell{text: strings.ToUpper(cellLine(headingText(name))), style: styleHeading})
	}
	for _, row := range t.rows {
		var line []cell
		for _, name := range t.names {
			line = append(line, makeCell(row[name]))
		}
		lines = append(lines, line)
	}
	return writeCells(w, lines)
}

// writeCSV writes it for programs.
func (t *answerTable) writeCSV(w io.Writer) error {
	if len(t.names) == 0 {
		return nil
	}
	line := make([]any, len(t.names))
	for i, name := range t.names {
		line[i] = name
	}
	if err := writeFields(w, line); err != nil {
		return err
	}
	for _, row := range t.rows {
		for i, name := range t.names {
			line[i] = row[name]
		}
		if err := writeFields(w, line); err != nil {
			return err
		}
	}
	return nil
}
