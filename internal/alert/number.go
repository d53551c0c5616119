package alert

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/jsonscan"
)

const (
	// MaxNumberBytes bounds a number in an alert and in an answer: far more digits than anything that is billed.
	MaxNumberBytes = 200
	// maxNumberExponent bounds its exponent, so that no number takes long to compare.
	maxNumberExponent = 1000
)

// number is an exact decimal, and how it was written.
type number struct {
	text  string
	value *big.Rat
}

// parseNumber reads a number by the grammar of JSON.
func parseNumber(text string) (number, bool) {
	if len(text) > MaxNumberBytes || text == "" || strings.ContainsAny(text[:1], " \t\r\n") {
		return number{}, false
	}
	if last := text[len(text)-1]; last < '0' || last > '9' || jsonscan.Valid([]byte(text)) != nil || text[0] == '"' {
		return number{}, false
	}
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		exponent, err := strconv.Atoi(text[e+1:])
		if err != nil || exponent < -maxNumberExponent || exponent > maxNumberExponent {
			return number{}, false
		}
	}
	value, ok := new(big.Rat).SetString(text)
	return number{text, value}, ok
}

var zero = new(big.Rat)

// numberOf reads a value of an answer: a number, or a text that is one.
func numberOf(v jsonscan.Value) (number, bool) {
	if v.Kind != jsonscan.Number && v.Kind != jsonscan.String {
		return number{}, false
	}
	return parseNumber(string(v.Text))
}
