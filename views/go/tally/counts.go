package tally

import (
	"math/bits"
	"unsafe"
)

const (
	// maxCounts is how many sums fit the room of totals, with their names and what a word writes beyond.
	maxCounts = (totalsRoom - word) / (2*word + 2*word)

	countBelow = digitsBelow * digitsBelow // what two words of digits cannot write
)

// addCounts does the work of Totals.add for nearly all totals: a few whole numbers below 10^15 between short names. It does all in one
// function without a call, on words, which is what makes a fold quick; whatever is not as expected it leaves to add, whose
// results it gives. It writes to a room of totalsRoom bytes and returns the length, 0 if it leaves the totals to add. Every
// text of around but the last, "}", has 8 to 16 bytes, and there are up to maxCounts of them.
func addCounts(to unsafe.Pointer, value []byte, around []string, amounts []Decimal) (length int) {
	from, left := unsafe.Pointer(unsafe.SliceData(value)), len(value)
	for i := range amounts {
		before, amount := around[i], &amounts[i]
		n := len(before)
		if left < n+2 { // a digit and a brace
			return 0
		}
		head, tail := wordAt(before, 0), wordAt(before, n-word)
		if *(*uint64)(from) != head || *(*uint64)(unsafe.Add(from, n-word)) != tail {
			return 0
		}
		*(*uint64)(unsafe.Add(to, length)) = head
		*(*uint64)(unsafe.Add(to, length+n-word)) = tail
		from, left, length = unsafe.Add(from, n), left-n, length+n

		w := wordBefore(from, left)
		digits := leadingDigits(w)
		if digits == 0 || w&0xFF == '0' && digits > 1 {
			return 0
		}
		count := digitsValue(w, digits)
		if digits == word {
			from, left = unsafe.Add(from, word), left-word
			w = wordBefore(from, left)
			if digits = leadingDigits(w); digits == word {
				return 0
			}
			if digits > 0 {
				count = count*powersOfTen[digits] + digitsValue(w, digits)
			}
		}
		from, left = unsafe.Add(from, digits), left-digits

		count += amount.units
		if amount.fraction != 0 || amount.wide != nil || amount.negative || count >= countBelow {
			return 0
		}
		if count >= digitsBelow {
			high := count / digitsBelow
			count -= high * digitsBelow
			w = digitWord(high)
			zeros := bits.TrailingZeros64(w) / 8
			*(*uint64)(unsafe.Add(to, length)) = (w | ascii0) >> (8 * uint(zeros) & 63)
			length += word - zeros
			*(*uint64)(unsafe.Add(to, length)) = digitWord(count) | ascii0
			length += word
			continue
		}
		w = digitWord(count)
		zeros := min(bits.TrailingZeros64(w)/8, word-1)
		*(*uint64)(unsafe.Add(to, length)) = (w | ascii0) >> (8 * uint(zeros) & 63)
		length += word - zeros
	}
	if left != 1 || *(*byte)(from) != '}' {
		return 0
	}
	*(*byte)(unsafe.Add(to, length)) = '}'
	return length + 1
}

// wordBefore returns the bytes at p, of which so many are left, as a word with zeros after them; eight bytes that are not left may
// be read before p.
func wordBefore(p unsafe.Pointer, left int) uint64 {
	if left >= word {
		return *(*uint64)(p)
	}
	return *(*uint64)(unsafe.Add(p, left-word)) >> (8 * uint(word-left)) // 0 for a shift of 64
}
