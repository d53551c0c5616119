package viewtest

import (
	"fmt"
	"strings"
)

const (
	// diffContext is how many equal lines are shown around a difference.
	diffContext = 2
	// maxDiffLines bounds what is compared line by line: the table of a comparison grows with the square.
	maxDiffLines = 2000
	// maxShownLine is how much is shown of a line, in bytes: a view's answer is one line of up to 1 MiB.
	maxShownLine = 2000
)

// Diff shows how got differs from want: missing lines with -, lines that should not be there with +, and a few equal ones around
// them, each with its line number in want. It is "" for equal texts.
func Diff(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	edits := script(a[start:len(a)-end], b[start:len(b)-end], start)
	for i := start - 1; i >= max(0, start-diffContext); i-- {
		edits = append([]edit{{' ', i + 1, a[i]}}, edits...)
	}
	for i := len(a) - end; i < min(len(a), len(a)-end+diffContext); i++ {
		edits = append(edits, edit{' ', i + 1, a[i]})
	}
	return show(edits)
}

// edit is one line of a comparison.
type edit struct {
	sign byte // '-' of want, '+' of got, ' ' of both
	line int  // in want, from 1; of a '+', the line before which it came
	text string
}

// script finds a shortest way from a to b, by the longest common subsequence of lines; before is how many lines precede them.
func script(a, b []string, before int) []edit {
	var edits []edit
	if len(a) > maxDiffLines || len(b) > maxDiffLines {
		for i, line := range a {
			edits = append(edits, edit{'-', before + i + 1, line})
		}
		for _, line := range b {
			edits = append(edits, edit{'+', before + len(a) + 1, line})
		}
		return edits
	}
	common := make([][]int32, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			edits = append(edits, edit{' ', before + i + 1, a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			edits = append(edits, edit{'-', before + i + 1, a[i]})
			i++
		default:
			edits = append(edits, edit{'+', before + i + 1, b[j]})
			j++
		}
	}
	return edits
}

// show writes the edits, without the equal lines that are far from any difference.
func show(edits []edit) string {
	near := make([]bool, len(edits))
	for i, e := range edits {
		if e.sign == ' ' {
			continue
		}
		for j := max(0, i-diffContext); j <= min(len(edits)-1, i+diffContext); j++ {
			near[j] = true
		}
	}
	var b strings.Builder
	for i, e := range edits {
		if !near[i] || e.text == "" {
			continue
		}
		if i > 0 && !near[i-1] && b.Len() > 0 {
			b.WriteString("   ...\n")
		}
		text := strings.TrimSuffix(e.text, "\n")
		if len(text) > maxShownLine {
			text = strings.ToValidUTF8(text[:maxShownLine], "") + fmt.Sprintf("... (%d bytes)", len(text))
		}
		fmt.Fprintf(&b, "%4d %c %s\n", e.line, e.sign, text)
	}
	if b.Len() == 0 {
		return "     the texts differ in the end of their last line\n"
	}
	return b.String()
}
