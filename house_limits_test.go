package tallystick_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// units are those of package time, in nanoseconds.
var units = map[string]int64{"time.Millisecond": 1e6, "time.Second": 1e9, "time.Minute": 60e9, "time.Hour": 3600e9}

// value computes a constant of package in. known is false for what is not made of numbers and constants of ours.
func (s *sources) value(in string, e ast.Expr) (value constant.Value, known bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), e.Kind == token.INT
	case *ast.ParenExpr:
		return s.value(in, e.X)
	case *ast.Ident:
		return s.constant(in + "." + e.Name)
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok {
			return s.constant(of.Name + "." + e.Sel.Name)
		}
	case *ast.BinaryExpr:
		x, knownX := s.value(in, e.X)
		y, knownY := s.value(in, e.Y)
		if !knownX || !knownY {
			return nil, false
		}
		if n, _ := constant.Uint64Val(y); e.Op == token.SHL {
			return constant.Shift(x, e.Op, uint(n)), true
		}
		return constant.BinaryOp(x, e.Op, y), true
	}
	return nil, false
}

func (s *sources) constant(name string) (value constant.Value, known bool) {
	if unit, ok := units[name]; ok {
		return constant.MakeInt64(unit), true
	}
	in, _, _ := strings.Cut(name, ".")
	return s.value(in, s.constants[name])
}

// spellings are the ways in which a page may write a limit.
func spellings(n int64) (all []string) {
	all = append(all, strconv.FormatInt(n, 10), grouped(n))
	for unit, size := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "s": units["time.Second"], "hours": units["time.Hour"]} {
		if n%size == 0 {
			all = append(all, fmt.Sprintf("%d %s", n/size, unit))
		}
	}
	return all
}

// grouped writes a number as 1,000,000.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// TestLimitsAreAsDocumented: docs/api.md gives each limit as the constant that it names has it.
func TestLimitsAreAsDocumented(t *testing.T) {
	declared := parseSources(t)
	_, limits, _ := strings.Cut(files(t, "docs", "api.md")["docs/api.md"], "\n## Limits\n")
	limits, _, _ = strings.Cut(limits, "\n## ")
	checked := 0
	for row := range strings.Lines(limits) {
		cells := strings.Split(row, " | ")
		if len(cells) != 3 {
			continue
		}
		for _, found := range backquoted.FindAllStringSubmatch(cells[2], -1) {
			value, known := declared.constant(found[1])
			if !known {
				continue
			}
			checked++
			n, _ := constant.Int64Val(value)
			all := spellings(n)
			for i := range all {
				all[i] = regexp.QuoteMeta(all[i])
			}
			if !regexp.MustCompile(`(?:^|[^0-9,])(?:` + strings.Join(all, "|") + `)(?:[^0-9,]|,? |$)`).MatchString(cells[1] + " ") {
				t.Errorf("docs/api.md gives %q for %s, which is %s", cells[1], found[1], strings.Join(spellings(n), " or "))
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d limits were found in docs/api.md", checked)
	}
}
