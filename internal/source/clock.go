package source

import (
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// unit is how a record writes a time.
type unit string

const (
	unitRFC3339 unit = "rfc3339"
	unitCLF     unit = "clf"
	unitSeconds unit = "s"
)

// digitsOfSecond is how many digits of a count of a unit are below a second.
var digitsOfSecond = map[unit]int{unitSeconds: 0, "ms": 3, "us": 6, "ns": 9}

const (
	// maxYear is the last that RFC 3339 can write.
	maxYear = 9999
	// maxSecondDigits is that of seconds since 1970 up to maxYear.
	maxSecondDigits = 12
	// timeForm is RFC 3339 with as many digits below a second as are needed.
	timeForm = "2006-01-02T15:04:05.999999999Z"
)

// read returns the time that a string or number of a record stands for.
func (u unit) read(v jsonscan.Value) (t time.Time, ok bool) {
	below, counted := digitsOfSecond[u]
	switch {
	case counted && (v.Kind == jsonscan.Number || v.Kind == jsonscan.String):
		d, isNumber := parseDecimal(v.Text)
		if !isNumber {
			return t, false
		}
		t, ok = unixTime(d, below)
	case v.Kind != jsonscan.String:
		return t, false
	case u == unitCLF:
		t, ok = parseCLF(string(v.Text))
	default:
		t, ok = parseISO(string(v.Text))
	}
	return t, ok && t.Year() >= 0 && t.Year() <= maxYear
}

// unixTime returns the time that is d units after 1970, where a second has that many digits of units. What is below a nanosecond is cut
// off, towards the past.
func unixTime(d decimal, below int) (time.Time, bool) {
	point := int64(len(d.digits)) + d.exponent - int64(below) // where in digits the seconds end
	if point > maxSecondDigits {
		return time.Time{}, false
	}
	digit := func(i int64) int64 {
		if i < 0 || i >= int64(len(d.digits)) {
			return 0
		}
		return int64(d.digits[i] - '0')
	}
	var seconds, nanoseconds int64
	for i := int64(0); i < point; i++ {
		seconds = seconds*10 + digit(i)
	}
	for i := point; i < point+9; i++ {
		nanoseconds = nanoseconds*10 + digit(i)
	}
	if d.negative {
		seconds, nanoseconds = -seconds, -nanoseconds
		if int64(len(d.digits)) > point+9 {
			nanoseconds--
		}
	}
	return time.Unix(seconds, nanoseconds).UTC(), true
}

// parseISO parses RFC 3339, and what others write for it: a space between date and time, another before the offset, and an offset without
// its colon.
func parseISO(text string) (time.Time, bool) {
	const date, zone = len("2006-01-02"), len("-0700")
	if len(text) > date && text[date] == ' ' {
		text = text[:date] + "T" + text[date+1:]
	}
	if before, offset, found := strings.Cut(text, " "); found && offset != "" && (offset[0] == '+' || offset[0] == '-') {
		text = before + offset
	}
	if i := len(text) - zone; i > date && (text[i] == '+' || text[i] == '-') {
		text = text[:i+3] + ":" + text[i+3:]
	}
	return event.ParseTime(text)
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// parseCLF parses the time of a common log format, such as 10/Oct/2000:13:55:36 -0700, also in its brackets.
func parseCLF(text string) (time.Time, bool) {
	const form = "10/Oct/2000:13:55:36 -0700"
	if len(text) == len(form)+2 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	if len(text) != len(form) || text[2] != '/' || text[6] != '/' || text[11] != ':' {
		return time.Time{}, false
	}
	month := strings.Index(months, text[3:6])
	if month < 0 || month%3 != 0 {
		return time.Time{}, false
	}
	number := strconv.Itoa(100 + month/3 + 1)[1:]
	return parseISO(text[7:11] + "-" + number + "-" + text[:2] + "T" + text[12:])
}
