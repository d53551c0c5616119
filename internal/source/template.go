package source

import (
	"strings"

	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/uuid"
)

// template is text with values of the record in it.
type template struct {
	parts []part
	slots []int // those of all parts
}

// part is a piece of text, or the value at a slot.
type part struct {
	text string
	slot int // -1 for text
	// end is the first byte of the text that separates this value from the next one, 0 for the last value. Inside the value it is escaped
	// in names, so that ("a-b", "c") and ("a", "b-c") are two.
	end byte
}

// nameMark stands before a name that would begin with no letter or digit, or be taken for an id. No value writes it otherwise, since two
// digits follow every other ~.
const nameMark = "x~~"

// templates decodes a template, or a list of them.
func (d *decoder) templates(t *tree, forLog bool) []template {
	if t.isNull() {
		return nil
	}
	var all []template
	for _, item := range d.list(t, MaxAlternatives) {
		template := d.template(item)
		if forLog {
			d.checkLog(item, &template)
		}
		all = append(all, template)
	}
	return all
}

func (d *decoder) template(t *tree) template {
	rest := d.string(t, MaxTemplateBytes, "a template, such as customer-{/customer}")
	var out template
	text := strings.Builder{}
	flush := func() {
		if text.Len() > 0 {
			out.parts = append(out.parts, part{text: text.String(), slot: -1})
			text.Reset()
		}
	}
	for d.err == nil {
		before, after, found := strings.Cut(rest, "{")
		text.WriteString(before)
		if !found {
			break
		}
		if literal, ok := strings.CutPrefix(after, "{"); ok {
			text.WriteByte('{')
			rest = literal
			continue
		}
		pointer, behind, closed := strings.Cut(after, "}")
		if !closed || !strings.HasPrefix(pointer, "/") {
			d.fail(t, "must have a JSON pointer in its braces, such as {/customer}; a brace that is meant as such is written {{")
			break
		}
		flush()
		slot := d.slot(t, pointer)
		out.parts = append(out.parts, part{slot: slot})
		out.slots = append(out.slots, slot)
		rest = behind
	}
	flush()
	return out
}

// checkLog checks that a template makes names of logs, and notes where its values end.
func (d *decoder) checkLog(t *tree, template *template) {
	if d.err != nil {
		return
	}
	if len(template.slots) == 0 {
		if err := eventlog.CheckName("the log's name", template.parts[0].text); err != nil {
			d.fail(t, "is no name of a log: it has 1 to %d letters, digits and any of . _ : @ + = ~ -, starts with a letter or digit, "+
				"and has not the form of a UUID", eventlog.MaxNameBytes)
		}
		return
	}
	left := len(template.slots)
	for i, p := range template.parts {
		if p.slot >= 0 {
			left--
			if left == 0 {
				continue
			}
			next := template.parts[i+1]
			if next.slot >= 0 {
				d.fail(t, "must have a character between two values, such as {/region}:{/customer}, or two pairs would have one name")
				return
			}
			template.parts[i].end = next.text[0]
			continue
		}
		for _, c := range []byte(p.text) {
			if !isNameByte(c) {
				d.fail(t, "holds %q: around its values it may have letters, digits and any of . _ : @ + = -", c)
			}
		}
		if i == 0 && !isLetterOrDigit(p.text[0]) {
			d.fail(t, "must start with a letter, a digit or a value")
		}
	}
}

// fit returns the first template whose values are all there, nil where there is none.
func fit(templates []template, values []jsonscan.Value) *template {
next:
	for i := range templates {
		for _, slot := range templates[i].slots {
			if !isText(values[slot]) {
				continue next
			}
		}
		return &templates[i]
	}
	return nil
}

// isText reports whether a template can hold the value: a scalar that is neither null nor empty.
func isText(v jsonscan.Value) bool {
	switch v.Kind {
	case jsonscan.String:
		return len(v.Text) > 0
	case jsonscan.Number, jsonscan.True, jsonscan.False:
		return true
	default:
		return false
	}
}

// appendText appends the text with its values as they are.
func (t *template) appendText(dst []byte, values []jsonscan.Value) []byte {
	for _, p := range t.parts {
		if p.slot < 0 {
			dst = append(dst, p.text...)
		} else {
			dst = append(dst, values[p.slot].Text...)
		}
	}
	return dst
}

// name returns the name of a log. Different values give different names. It is false for a name that is too long.
func (t *template) name(values []jsonscan.Value) (string, bool) {
	const hex = "0123456789ABCDEF"
	var room [len(nameMark) + eventlog.MaxNameBytes + 1]byte
	name := append(room[:0], nameMark...)
	for _, p := range t.parts {
		if p.slot < 0 {
			name = append(name, p.text...)
			continue
		}
		if len(values[p.slot].Text) > eventlog.MaxNameBytes {
			return "", false
		}
		for _, c := range values[p.slot].Text {
			if isNameByte(c) && c != p.end {
				name = append(name, c)
			} else {
				name = append(name, '~', hex[c>>4], hex[c&15])
			}
		}
	}
	bare := name[len(nameMark):]
	if isLetterOrDigit(bare[0]) && !isUUID(bare) {
		name = bare
	}
	return string(name), len(name) <= eventlog.MaxNameBytes
}

func isUUID(text []byte) bool {
	if len(text) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	_, err := uuid.Parse(string(text))
	return err == nil
}

// isNameByte reports whether a value keeps the byte in a name: all that names may hold but ~, which begins an escape.
func isNameByte(c byte) bool {
	return isLetterOrDigit(c) || c == '.' || c == '_' || c == ':' || c == '@' || c == '+' || c == '=' || c == '-'
}

func isLetterOrDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
