package eventlog

import (
	"strings"

	"github.com/tallystick/tallystick/internal/event"
)

// maxPatternStars bounds what one comparison may cost.
const maxPatternStars = 8

// Pattern selects logs by their names: those that it matches as a whole, where * stands for any run of characters, also none, and
// everything else for itself. customer-* matches customer-acme, and not my-customer-acme.
type Pattern string

// Check returns an *event.InvalidError with the code invalid_pattern for what no pattern is.
func (p Pattern) Check() error {
	const code = "invalid_pattern"
	if p == "" || len(p) > MaxNameBytes {
		return event.Invalid(code, "the pattern of logs has %d bytes; 1 to %d are allowed, such as customer-*", len(p), MaxNameBytes)
	}
	if stars := strings.Count(string(p), "*"); stars > maxPatternStars {
		return event.Invalid(code, "the pattern has %d stars; at most %d are allowed", stars, maxPatternStars)
	}
	// With each star replaced by a letter it must be a name that a log can have, or no log could ever match it.
	if CheckName("", strings.ReplaceAll(string(p), "*", "x")) != nil {
		return event.Invalid(code, "no log can have a name that matches %q: "+
			"names hold letters, digits and any of . _ : @ + = ~ - and start with a letter or digit", string(p))
	}
	return nil
}

var likePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`)

// Like is the pattern for SQL's LIKE.
func (p Pattern) Like() string { return likePattern.Replace(string(p)) }

// Matches reports whether the pattern selects a log of this name.
func (p Pattern) Matches(name string) bool {
	first, rest, starred := strings.Cut(string(p), "*")
	if !starred {
		return name == string(p)
	}
	name, ok := strings.CutPrefix(name, first)
	for ok {
		var part string
		if part, rest, starred = strings.Cut(rest, "*"); !starred {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return false
}

// Covers reports whether the pattern selects every log that other selects. It may miss that where other has the same run of characters
// spelled with more stars.
func (p Pattern) Covers(other Pattern) bool { return p.Matches(string(other)) }
