package tally

import "unsafe"

// Decimals are calculated in limbs of base 10^18, five of them before the point and three behind it.
const (
	limbDigits = 18
	limbBase   = 1_000_000_000_000_000_000

	limbCount     = 8
	fractionLimbs = 3
	unitsLimb     = fractionLimbs // of the whole numbers under 10^18

	wholeDigits    = (limbCount - fractionLimbs) * limbDigits
	fractionDigits = fractionLimbs * limbDigits
)

// What a number from an event or a configuration may have: five and three half limbs. The product of two such is exact, and 10^45
// of the largest can be added before the sum overflows: no log gets there.
const (
	inputWholeDigits    = 45
	inputFractionDigits = 27
)

// limbs are a magnitude, the lowest limb first.
type limbs [limbCount]uint64

// Decimal is an exact decimal number of up to 90 digits before the point and 54 after it. The zero value is 0. Decimals
// of up to 18 digits before the point and 18 after it, as nearly all are, cost no allocation.
type Decimal struct {
	units    uint64 // the whole part, below 10^18
	fraction uint64 // in 10^-18, below 10^18
	wide     *limbs // the number, where it does not fit the other two, which are 0 then; never changed
	negative bool   // 0 never is
}

// unusual returns 0 for a whole number from 0 up to 10^18.
func (d *Decimal) unusual() uint64 {
	return d.fraction | uint64(uintptr(unsafe.Pointer(d.wide))) | uint64(*(*uint8)(unsafe.Pointer(&d.negative)))
}

// NewDecimal returns the whole number n.
func NewDecimal(n int64) Decimal {
	magnitude := uint64(n)
	if n < 0 {
		magnitude = -magnitude
	}
	if magnitude < limbBase {
		return Decimal{units: magnitude, negative: n < 0}
	}
	return newWide(limbs{unitsLimb: magnitude % limbBase, unitsLimb + 1: magnitude / limbBase}, n < 0)
}

// newDecimal gives a magnitude and a sign their one form.
func newDecimal(l *limbs, negative bool) Decimal {
	if l[0]|l[1]|l[4]|l[5]|l[6]|l[7] != 0 {
		return newWide(*l, negative)
	}
	return Decimal{units: l[unitsLimb], fraction: l[unitsLimb-1], negative: negative && l[unitsLimb]|l[unitsLimb-1] != 0}
}

// newWide is apart so that nothing else allocates.
func newWide(l limbs, negative bool) Decimal { return Decimal{wide: &l, negative: negative} }

// limbs returns the magnitude of d.
func (d Decimal) limbs() limbs {
	if d.wide != nil {
		return *d.wide
	}
	return limbs{unitsLimb: d.units, unitsLimb - 1: d.fraction}
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.negative:
		return -1
	case d == Decimal{}:
		return 0
	}
	return 1
}

// Neg returns -d.
func (d Decimal) Neg() Decimal {
	d.negative = !d.negative && d != Decimal{}
	return d
}

// Cmp returns -1, 0 or 1 as d is less than, equal to or greater than n.
func (d Decimal) Cmp(n Decimal) int {
	left, right, larger := d.limbs(), n.limbs(), 1
	switch {
	case d.negative != n.negative && d.negative:
		return -1
	case d.negative != n.negative:
		return 1
	case d.negative:
		larger = -1
	}
	for i := limbCount - 1; i >= 0; i-- {
		switch {
		case left[i] > right[i]:
			return larger
		case left[i] < right[i]:
			return -larger
		}
	}
	return 0
}

// Int64 returns d as an int64; false if it is none.
func (d Decimal) Int64() (n int64, ok bool) {
	l := d.limbs()
	const most = 1<<63 - 1
	if l[0]|l[1]|l[2]|l[5]|l[6]|l[7] != 0 || l[unitsLimb+1] > most/limbBase {
		return 0, false
	}
	magnitude := l[unitsLimb+1]*limbBase + l[unitsLimb]
	if d.negative {
		return -int64(magnitude), magnitude <= most+1
	}
	return int64(magnitude), magnitude <= most
}

// Add returns d + n; false if that has more than 90 digits before the point.
func (d Decimal) Add(n Decimal) (sum Decimal, ok bool) {
	if d.wide == nil && n.wide == nil && d.negative == n.negative {
		units, fraction := d.units+n.units, d.fraction+n.fraction
		if fraction >= limbBase {
			fraction -= limbBase
			units++
		}
		if units < limbBase {
			return Decimal{units: units, fraction: fraction, negative: d.negative}, true
		}
	}
	return d.addLimbs(n)
}

// addLimbs is apart so that the common sum needs no room for limbs.
func (d Decimal) addLimbs(n Decimal) (sum Decimal, ok bool) {
	left, right := d.limbs(), n.limbs()
	if d.negative == n.negative {
		ok = left.add(&right)
		return newDecimal(&left, d.negative), ok
	}
	if left.subtract(&right) {
		return newDecimal(&left, d.negative), true
	}
	left.complement()
	return newDecimal(&left, n.negative), true
}

// Sub returns d - n; false if that has more than 90 digits before the point.
func (d Decimal) Sub(n Decimal) (difference Decimal, ok bool) { return d.Add(n.Neg()) }

// add returns false if the highest limb overflows.
func (l *limbs) add(n *limbs) bool {
	var carry uint64
	for i := range l {
		l[i] += n[i] + carry
		carry = 0
		if l[i] >= limbBase {
			l[i] -= limbBase
			carry = 1
		}
	}
	return carry == 0
}

// subtract returns false if n was the larger one: l is then short of what it is, negative, by 10^18 to the number of limbs.
func (l *limbs) subtract(n *limbs) bool {
	var borrow uint64
	for i := range l {
		less := n[i] + borrow
		borrow = 0
		if l[i] < less {
			l[i] += limbBase
			borrow = 1
		}
		l[i] -= less
	}
	return borrow == 0
}

// complement makes up for that.
func (l *limbs) complement() {
	carry := uint64(1)
	for i := range l {
		l[i] = limbBase - 1 - l[i] + carry
		carry = 0
		if l[i] == limbBase {
			l[i] = 0
			carry = 1
		}
	}
}

// Half limbs, whose products fit 64 bits.
const (
	halfDigits     = limbDigits / 2
	halfBase       = 1_000_000_000
	fractionHalves = 2 * fractionLimbs

	// The first half limb that an input number may use, and how many it may use.
	firstHalf   = fractionHalves - inputFractionDigits/halfDigits
	inputHalves = (inputWholeDigits + inputFractionDigits) / halfDigits
)

// The lowest digit of a product must fall on the lowest half limb, and its highest on the highest.
var (
	_ [2 * firstHalf]byte       = [fractionHalves]byte{}
	_ [2 * inputHalves]struct{} = [2 * limbCount]struct{}{}
)

// halves are the half limbs of an input number, from firstHalf on; ok is false if d has more.
func (d Decimal) halves() (halves [inputHalves]uint64, ok bool) {
	l := d.limbs()
	for i := range halves {
		if limb := l[(firstHalf+i)/2]; (firstHalf+i)%2 == 1 {
			halves[i] = limb / halfBase
		} else {
			halves[i] = limb % halfBase
		}
	}
	return halves, l[0]|l[6]|l[7] == 0 && l[1]%halfBase == 0 && l[5] < halfBase
}

// Mul returns the exact product of d and n, which must have up to 45 digits before the point and 27 after it, as all that
// [ParseDecimal] and [Field.Decimal] read; false if one has more.
func (d Decimal) Mul(n Decimal) (product Decimal, ok bool) {
	left, leftOK := d.halves()
	right, rightOK := n.halves()
	if !leftOK || !rightOK {
		return Decimal{}, false
	}
	var column [2 * limbCount]uint64 // eight products under 10^18 and a carry fit
	for i, l := range left {
		if l == 0 { // as most are
			continue
		}
		for j, r := range right {
			column[i+j] += l * r
		}
	}
	var result limbs
	var carry uint64
	for i := range result {
		low := column[2*i] + carry
		high := column[2*i+1] + low/halfBase
		carry = high / halfBase
		result[i] = low%halfBase + high%halfBase*halfBase
	}
	return newDecimal(&result, d.negative != n.negative), true
}
