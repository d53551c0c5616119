package tally

// Time is microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
type Time int64

// Units of time, in microseconds.
const (
	Second Time = 1_000_000
	Minute      = 60 * Second
	Hour        = 60 * Minute
	Day         = 24 * Hour
)

// Floor returns the last multiple of unit that is not after t: Floor(Minute) is when the minute of t began.
func (t Time) Floor(unit Time) Time {
	return Time(floorDivide(int64(t), int64(unit))) * unit
}

func floorDivide(n, by int64) int64 {
	if n%by < 0 {
		return n/by - 1
	}
	return n / by
}

// Days are counted from 0000-03-01 here, so that the leap day is a year's last, in eras of 400 years, which all have the
// same number of days.
const (
	daysTo1970  = 719468
	eraDays     = 146097
	eraYears    = 400
	centuryDays = 36524
	leapDays    = 1461 // of four years
	yearDays    = 365
)

// Date returns the UTC date of t in the Gregorian calendar.
func (t Time) Date() (year, month, day int) {
	days := floorDivide(int64(t), int64(Day)) + daysTo1970
	era := floorDivide(days, eraDays)
	d := int(days - era*eraDays)
	y := (d - d/(leapDays-1) + d/centuryDays - d/(eraDays-1)) / yearDays
	d -= y*yearDays + y/4 - y/100
	m := (5*d + 2) / 153 // 0 is March; five months have 153 days
	year, month, day = int(era)*eraYears+y, m+3, d-(153*m+2)/5+1
	if m >= 10 {
		year++
		month -= 12
	}
	return year, month, day
}

// DateTime returns the beginning of a UTC date. The month 13 is the next January.
func DateTime(year, month, day int) Time {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDivide(int64(year), eraYears)
	y := int64(year) - era*eraYears
	d := int64((153*(month-3)+2)/5 + day - 1)
	return Time(era*eraDays+y*yearDays+y/4-y/100+d-daysTo1970) * Day
}

// Month returns the UTC month of t: "2025-03". ok is false if the year does not have four digits.
func (t Time) Month() (month string, ok bool) {
	if t >= lastMonth.start && t < lastMonth.end {
		return lastMonth.text, true
	}
	return t.month()
}

// lastMonth caches the last month, since most events follow one of the same month.
var lastMonth struct {
	start, end Time // no time is between them at first
	text       string
}

func (t Time) month() (text string, ok bool) {
	year, month, _ := t.Date()
	if year < 0 || year > 9999 {
		return "", false
	}
	b := append(AppendUint(nil, uint64(year), 4), '-')
	lastMonth.text = string(AppendUint(b, uint64(month), 2))
	lastMonth.start, lastMonth.end = DateTime(year, month, 1), DateTime(year, month+1, 1)
	return lastMonth.text, true
}

// AppendRFC3339 appends t as 2025-03-01T10:05:30.123456Z, with no more digits of the second than it has. ok is false,
// and b as it was, where the year does not have four digits.
func (t Time) AppendRFC3339(b []byte) (text []byte, ok bool) {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return b, false
	}
	of := uint64(t - t.Floor(Day))
	b = append(AppendUint(b, uint64(year), 4), '-')
	b = append(AppendUint(b, uint64(month), 2), '-')
	b = append(AppendUint(b, uint64(day), 2), 'T')
	b = append(AppendUint(b, of/uint64(Hour), 2), ':')
	b = append(AppendUint(b, of/uint64(Minute)%60, 2), ':')
	b = AppendUint(b, of/uint64(Second)%60, 2)
	if fraction := of % uint64(Second); fraction != 0 {
		b = AppendUint(append(b, '.'), fraction, 6)
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return append(b, 'Z'), true
}

// ParseTime reads an RFC 3339 time. What is below a microsecond does not count. A space counts as the + that it is where
// a query string carries an offset unescaped. A leap second, which is the second 60 at the end of a UTC day and there alone, is
// the first of the next day, as it is to clocks that do not count leap seconds.
func ParseTime(text string) (t Time, ok bool) {
	r := timeReader{rest: text}
	year, month, day := r.date()
	r.either('T', 't')
	hour := r.number(2, 0, 23)
	r.either(':', ':')
	minute := r.number(2, 0, 59)
	r.either(':', ':')
	second := r.number(2, 0, leapSecond)
	fraction := r.fraction()
	offset := r.offset()
	if r.bad || r.rest != "" {
		return 0, false
	}
	t = DateTime(year, month, day) + Time(hour)*Hour + Time(minute)*Minute + Time(second)*Second - offset
	if second == leapSecond && t%Day != 0 {
		return 0, false
	}
	return t + fraction, true
}

// leapSecond is the second that only a day's last minute may have.
const leapSecond = 60

// timeReader takes the parts of a time from the front of a text; bad once one was not there.
type timeReader struct {
	rest string
	bad  bool
}

// next takes a character if it is one of two.
func (r *timeReader) next(a, b byte) bool {
	if r.bad || r.rest == "" || r.rest[0] != a && r.rest[0] != b {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *timeReader) either(a, b byte) {
	if !r.next(a, b) {
		r.bad = true
	}
}

// number takes exactly so many digits.
func (r *timeReader) number(digits, least, most int) (n int) {
	if len(r.rest) < digits {
		r.bad = true
		return 0
	}
	for i := range digits {
		if !isDigit(r.rest[i]) {
			r.bad = true
		}
		n = n*10 + int(r.rest[i]-'0')
	}
	r.rest = r.rest[digits:]
	r.bad = r.bad || n < least || n > most
	return n
}

func (r *timeReader) date() (year, month, day int) {
	year = r.number(4, 0, 9999)
	r.either('-', '-')
	month = r.number(2, 1, 12)
	r.either('-', '-')
	day = r.number(2, 1, 31)
	if !r.bad {
		r.bad = day > daysOf(year, month)
	}
	return year, month, day
}

func daysOf(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// fraction takes .123456789, if it is there.
func (r *timeReader) fraction() (t Time) {
	if !r.next('.', '.') {
		return 0
	}
	end := pastDigits(r.rest, 0)
	if end == 0 {
		r.bad = true
	}
	unit := Second / 10
	for i := range end {
		t += Time(r.rest[i]-'0') * unit
		unit /= 10
	}
	r.rest = r.rest[end:]
	return t
}

func (r *timeReader) offset() Time {
	if r.next('Z', 'z') {
		return 0
	}
	sign := Time(1)
	if r.next('-', '-') {
		sign = -1
	} else {
		r.either('+', ' ')
	}
	hours := r.number(2, 0, 23)
	r.either(':', ':')
	return sign * (Time(hours)*Hour + Time(r.number(2, 0, 59))*Minute)
}
