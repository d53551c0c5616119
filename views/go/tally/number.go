package tally

// ParseDecimal reads text as a JSON number, exponents included. It is 0 and false if text is none, or has a digit other
// than 0 beyond 45 before the point and 27 after it.
func ParseDecimal(text string) (d Decimal, ok bool) {
	d, end := takeNumber(text, 0, inputWholeDigits, inputFractionDigits)
	if end != len(text) || end == 0 {
		return Decimal{}, false
	}
	return d, true
}

// isNumber reports whether text is a JSON number, of any size.
func isNumber(text string) bool {
	_, end := takeParts(text, 0)
	return end != none && end == len(text)
}

// none is where a number ends that is not there.
const none = -1

// takeNumber reads the number that starts at s[at] and returns where it ends; none if there is not a number, or one with
// digits beyond those given.
func takeNumber(s string, at, wholeDigits, fractionDigits int) (d Decimal, end int) {
	units, end := takeLimb(s, at)
	if end > at && (s[at] != '0' || end == at+1) {
		switch {
		case endsNumber(s, end): // what nearly every number is
			return Decimal{units: units}, end
		case s[end] == '.':
			fraction, past := takeLimb(s, end+1)
			if digits := past - (end + 1); digits > 0 && endsNumber(s, past) {
				return Decimal{units: units, fraction: fraction * powersOfTen[limbDigits-digits]}, past
			}
		}
	}
	parts, end := takeParts(s, at)
	if end == none {
		return d, none
	}
	d, ok := parts.value(wholeDigits, fractionDigits)
	if !ok {
		return d, none
	}
	return d, end
}

// takeLimb reads the digits that start at s[at], as many as a limb holds.
func takeLimb(s string, at int) (n uint64, end int) {
	n, digits := takeDigits(s, at)
	end = at + digits
	if digits < word {
		return n, end
	}
	more, digits := takeDigits(s, end)
	n = n*powersOfTen[digits] + more
	end += digits
	if digits < word {
		return n, end
	}
	for most := min(len(s), at+limbDigits); end < most && isDigit(s[end]); end++ {
		n = n*10 + uint64(s[end]-'0')
	}
	return n, end
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// endsNumber reports whether a number that is read up to s[i] ends there.
func endsNumber(s string, i int) bool {
	if i == len(s) {
		return true
	}
	c := s[i]
	return !isDigit(c) && c != '.' && c|0x20 != 'e'
}

var powersOfTen = [limbDigits + 1]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// parts are a JSON number taken apart: its digits, a point among them perhaps, of which the first stands for
// 10^(whole-1).
type parts struct {
	digits   string
	whole    int
	negative bool
}

// takeParts takes the number apart that starts at s[at] and returns where it ends, none if there is none.
func takeParts(s string, at int) (p parts, end int) {
	if at < len(s) && s[at] == '-' {
		p.negative = true
		at++
	}
	i := pastDigits(s, at)
	p.whole = i - at
	if p.whole == 0 || p.whole > 1 && s[at] == '0' {
		return p, none
	}
	if i < len(s) && s[i] == '.' {
		past := pastDigits(s, i+1)
		if past == i+1 {
			return p, none
		}
		i = past
	}
	p.digits = s[at:i]
	if i < len(s) && s[i]|0x20 == 'e' {
		var exponent int
		if exponent, i = takeExponent(s, i+1); i == none {
			return p, none
		}
		p.whole += exponent
	}
	return p, i
}

func pastDigits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// exponentLimit is far out of any range, and far from wrapping.
const exponentLimit = 100_000_000

// takeExponent reads what follows an e at s[i].
func takeExponent(s string, i int) (exponent, end int) {
	negative := i < len(s) && s[i] == '-'
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	if i == len(s) || !isDigit(s[i]) {
		return 0, none
	}
	for ; i < len(s) && isDigit(s[i]); i++ {
		if exponent < exponentLimit {
			exponent = exponent*10 + int(s[i]-'0')
		}
	}
	if negative {
		exponent = -exponent
	}
	return exponent, i
}

// value puts the number together; false if a digit other than 0 is beyond the digits given.
func (p parts) value(wholeDigits, fractionDigits int) (d Decimal, ok bool) {
	s := p.digits
	for len(s) > 0 && (s[0] == '0' || s[0] == '.') {
		if s[0] == '0' {
			p.whole--
		}
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == '0' || s[len(s)-1] == '.') {
		s = s[:len(s)-1]
	}
	place := p.whole - 1 // the first digit stands for 10^place
	if s != "" && place >= wholeDigits {
		return d, false
	}
	var l limbs
	for i := range len(s) {
		if s[i] == '.' {
			continue
		}
		if place < -fractionDigits {
			return d, false
		}
		at := place + fractionLimbs*limbDigits
		l[at/limbDigits] += uint64(s[i]-'0') * powersOfTen[at%limbDigits]
		place--
	}
	return newDecimal(&l, p.negative), true
}

// Append appends d in its shortest plain form: 0, -12, 0.5, 1482000; never with an exponent.
func (d Decimal) Append(b []byte) []byte {
	if d.fraction != 0 || d.wide != nil || d.negative {
		return d.appendParts(b)
	}
	return AppendUint(b, d.units, 1)
}

func (d Decimal) appendParts(b []byte) []byte {
	if d.negative {
		b = append(b, '-')
	}
	l := d.limbs()
	high := limbCount - 1
	for high > unitsLimb && l[high] == 0 {
		high--
	}
	b = AppendUint(b, l[high], 1)
	for i := high - 1; i >= unitsLimb; i-- {
		b = AppendUint(b, l[i], limbDigits)
	}
	low := 0
	for low < fractionLimbs && l[low] == 0 {
		low++
	}
	if low == fractionLimbs {
		return b
	}
	b = append(b, '.')
	for i := fractionLimbs - 1; i >= low; i-- {
		b = AppendUint(b, l[i], limbDigits)
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// String returns d in its shortest plain form.
func (d Decimal) String() string { return string(d.Append(nil)) }
