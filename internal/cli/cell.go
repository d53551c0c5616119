package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/terminal"
)

// Values of cells beside texts, numbers, times and lists of texts.
type (
	// count is a number of things: people see separators in it.
	count int64
	// state is a word that says how something is: it has a colour on a terminal.
	state string
	// remark is a text that is mostly missing; then people see nothing at all.
	remark string
	// shown is what people see in place of the exact value.
	shown struct {
		text  string
		exact any
	}
)

// cell is a cell of a table for people.
type cell struct {
	text  string // on one line, without control characters
	style string // SGR parameters for a terminal; "" for none
}

// SGR parameters.
const (
	styleHeading = "1" // bold
	styleGood    = "32"
	styleBad     = "31"
	styleWaiting = "33"
	styleEnded   = "2" // dim
)

// stateStyles are the styles of states. Others have none.
var stateStyles = map[string]string{
	"live": styleGood, "active": styleGood, "ok": styleGood, "mapped": styleGood,
	"halted": styleBad, "rejected": styleBad, "DIFFERENT": styleBad, "WRONG": styleBad, "suspended": styleBad,
	"building": styleWaiting, "not done": styleWaiting,
	"retired": styleEnded, "revoked": styleEnded, "expired": styleEnded, "deleted": styleEnded, "skipped": styleEnded,
}

func makeCell(value any) cell {
	switch value := value.(type) {
	case remark:
		return cell{text: cellLine(string(value))}
	case state:
		return cell{text: oneLine(string(value)), style: stateStyles[string(value)]}
	case count:
		return cell{text: thousands(int64(value))}
	case shown:
		return cell{text: cellLine(value.text)}
	case time.Time:
		return cell{text: moment(&value)}
	case *time.Time:
		return cell{text: moment(value)}
	case bool:
		return cell{text: map[bool]string{true: "yes", false: "no"}[value]}
	}
	return cell{text: orDash(cellLine(plain(value)))}
}

// exactText is the exact value, and empty where there is none.
func exactText(value any) string {
	switch value := value.(type) {
	case shown:
		return exactText(value.exact)
	case count:
		return fmt.Sprint(int64(value))
	case time.Time:
		if value.IsZero() {
			return ""
		}
		return value.UTC().Format(time.RFC3339Nano)
	case *time.Time:
		if value == nil {
			return ""
		}
		return exactText(*value)
	}
	return plain(value)
}

// plain is a value as text; "" for none.
func plain(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []string:
		return strings.Join(value, ",")
	case json.RawMessage:
		var line bytes.Buffer
		if json.Compact(&line, value) != nil {
			return string(value)
		}
		return line.String()
	}
	return fmt.Sprint(value)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// writeCells writes lines in columns that are as wide as they have to be.
func writeCells(w io.Writer, lines [][]cell) error {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell.text))
		}
	}
	w, coloured := styled(w)
	var text strings.Builder
	for _, line := range lines {
		for len(line) > 0 && line[len(line)-1].text == "" {
			line = line[:len(line)-1]
		}
		for i, cell := range line {
			if coloured && cell.style != "" {
				text.WriteString("\x1b[" + cell.style + "m" + cell.text + "\x1b[0m")
			} else {
				text.WriteString(cell.text)
			}
			if i < len(line)-1 {
				text.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell.text)+2))
			}
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// styled returns where to write text that has been made safe, and whether it may have colours: on a terminal that is not dumb, without
// NO_COLOR (https://no-color.org) in the environment.
func styled(w io.Writer) (out io.Writer, coloured bool) {
	safe, isTerminal := w.(*terminal.Writer)
	if !isTerminal || ifTerminal(os.Stdout) == nil || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return w, false
	}
	return safe.Unchecked(), true
}

// cellLine makes text fit for a cell: on a terminal it is not too long either.
func cellLine(text string) string {
	if ifTerminal(os.Stdout) == nil {
		return terminal.Line(text)
	}
	return oneLine(text)
}

// maxCellRunes keeps a row readable on a terminal: a view's error may have 2 KiB.
const maxCellRunes = 160

// oneLine makes text of a view or a user fit for a line of output: without control characters, and not too long.
func oneLine(text string) string {
	return shorten(terminal.Line(text), maxCellRunes+1)
}

// shorten cuts text to limit characters.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}

// moment formats a time in the local time zone; nil and the zero time are "-".
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// thousands formats a number with separators.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
