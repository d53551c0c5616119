package alert

import (
	"math/big"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
)

// Direction is on which side of a threshold an alert fires.
type Direction string

// The directions.
const (
	AtLeast Direction = "at_least" // as for usage, which grows
	AtMost  Direction = "at_most"  // as for a balance, which falls
)

// threshold is an amount, or a percentage of a figure.
type threshold struct {
	text    string // such as 80% or 250.00, without zeros that mean nothing: what two of the same value have in common
	amount  *big.Rat
	percent bool
}

// parseThreshold reads what an alert has as a threshold.
func parseThreshold(text string) (threshold, error) {
	digits, percent := strings.CutSuffix(text, "%")
	n, ok := parseNumber(digits)
	if !ok {
		return threshold{}, invalid("a threshold is %.50q; it must be a percentage such as \"80%%\", or an amount such as \"250.00\", "+
			"of up to %d bytes", text, MaxNumberBytes)
	}
	t := threshold{text: plain(n.value), amount: n.value, percent: percent}
	if percent {
		t.text += "%"
	}
	return t, nil
}

// plain writes a decimal without an exponent and without zeros at its ends.
func plain(value *big.Rat) string {
	exact, _ := value.FloatPrec()
	return value.FloatString(exact)
}

// reached reports whether a value is at the threshold, or past it. No share of nothing is reached by nothing: 0 of 0 fires no percentage.
func (t threshold) reached(value, of *big.Rat, direction Direction) bool {
	bound := t.amount
	if t.percent {
		if of.Sign() == 0 && value.Sign() == 0 {
			return false
		}
		bound = new(big.Rat).Mul(t.amount, of)
		value = new(big.Rat).Mul(value, big.NewRat(hundred, 1))
	}
	if direction == AtMost {
		return value.Cmp(bound) <= 0
	}
	return value.Cmp(bound) >= 0
}

const hundred = 100

// invalid is the error of a definition that cannot be.
func invalid(format string, args ...any) error {
	return event.Invalid("invalid_alert", format, args...)
}
