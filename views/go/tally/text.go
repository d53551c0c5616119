package tally

import (
	"math/bits"
	"unsafe"
)

// Texts and numbers are short, and are read, written and compared in every fold. Compiled from Go to WebAssembly, each turn
// of a loop is a jump through a table, and a bulk copy is slow to start: so up to 32 bytes are dealt with as a few words
// that may overlap, and up to eight digits as one word.

const (
	half      = 4 // bytes
	word      = 8
	shortText = 4 * word // is copied and compared in words
)

// byteAt returns s[i], which the caller has checked to be there; so are the words.
func byteAt(s string, i int) byte {
	return *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

func halfAt(s string, i int) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

func wordAt(s string, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))
}

// wordUpTo returns the n bytes at s[i], at most eight, as a word with zeros after them; they must be there.
func wordUpTo(s string, i, n int) uint64 {
	switch {
	case n >= word:
		return wordAt(s, i)
	case n >= half:
		return uint64(halfAt(s, i)) | uint64(halfAt(s, i+n-half))<<(8*uint(n-half)&63)
	case n > 0:
		middle := n / 2
		return uint64(byteAt(s, i)) | uint64(byteAt(s, i+middle))<<(8*uint(middle)&63) | uint64(byteAt(s, i+n-1))<<(8*uint(n-1)&63)
	}
	return 0
}

// appendText returns append(b, text...).
func appendText(b []byte, text string) []byte {
	n, at := len(text), len(b)
	if n > shortText || cap(b)-at < n {
		return append(b, text...)
	}
	b = b[:at+n]
	to := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at)
	switch {
	case n > 2*word:
		*(*uint64)(to) = wordAt(text, 0)
		*(*uint64)(unsafe.Add(to, word)) = wordAt(text, word)
		*(*uint64)(unsafe.Add(to, n-2*word)) = wordAt(text, n-2*word)
		*(*uint64)(unsafe.Add(to, n-word)) = wordAt(text, n-word)
	case n >= word:
		*(*uint64)(to) = wordAt(text, 0)
		*(*uint64)(unsafe.Add(to, n-word)) = wordAt(text, n-word)
	case n >= half:
		*(*uint32)(to) = halfAt(text, 0)
		*(*uint32)(unsafe.Add(to, n-half)) = halfAt(text, n-half)
	case n > 0:
		*(*byte)(to) = byteAt(text, 0)
		*(*byte)(unsafe.Add(to, n/2)) = byteAt(text, n/2)
		*(*byte)(unsafe.Add(to, n-1)) = byteAt(text, n-1)
	}
	return b
}

// hasAt reports whether part is what starts at s[at].
func hasAt(s string, at int, part string) bool {
	n := len(part)
	if at < 0 || at > len(s) || len(s)-at < n {
		return false
	}
	switch {
	case n > 2*word:
		return s[at:at+n] == part
	case n >= word:
		return wordAt(s, at) == wordAt(part, 0) && wordAt(s, at+n-word) == wordAt(part, n-word)
	}
	return wordUpTo(s, at, n) == wordUpTo(part, 0, n)
}

const (
	everyByte = 0x0101010101010101
	ascii0    = '0' * everyByte
)

// leftAt returns the bytes from s[i] on, at most eight, as a word with zeros after them; i may be the end of s.
func leftAt(s string, i int) uint64 {
	left := len(s) - i
	switch {
	case left >= word:
		return wordAt(s, i)
	case len(s) >= word:
		return wordAt(s, len(s)-word) >> (8 * uint(word-left)) // 0 for a shift of 64
	}
	return wordUpTo(s, i, left)
}

// leadingDigits returns how many of a word's bytes, from the first, are digits.
func leadingDigits(w uint64) int {
	w ^= ascii0 // a digit is 0 to 9 now, and adding 6 leaves it under 16
	other := (w | (w + 6*everyByte)) & (0xF0 * everyByte)
	return bits.TrailingZeros64(other) / 8 // a carry from what is no digit only falls on what follows
}

// digitsValue returns the number that the first digits of a word are; at least one.
func digitsValue(w uint64, digits int) uint64 {
	w = (w ^ ascii0) << (8 * uint(word-digits) & 63) // the last digit highest, zeros before the first
	w = w*10 + w>>8                                  // pairs
	w = (w&0xFF000000FF)*(100+1_000_000<<32) + (w>>16&0xFF000000FF)*(1+10_000<<32)
	return w >> 32
}

// takeDigits reads up to eight digits at s[at], which may be its end, and returns how many there are.
func takeDigits(s string, at int) (n uint64, digits int) {
	w := leftAt(s, at)
	if digits = leadingDigits(w); digits == 0 {
		return 0, 0
	}
	return digitsValue(w, digits), digits
}

// digitsBelow is 10^8, what eight digits cannot reach.
const digitsBelow = 100_000_000

// digitWord writes n, which is below 10^8, as eight digits of a byte each, the first one lowest: 0 to 9.
func digitWord(n uint64) uint64 {
	fours := n * 3_518_437_209 >> 45 // n / 10,000
	w := fours | (n-fours*10_000)<<32
	hundreds := w * 10_486 >> 20 & 0x7F0000007F // each / 100
	w = hundreds | (w-100*hundreds)<<16
	tens := w * 103 >> 10 & 0xF000F000F000F // each / 10
	return tens | (w-10*tens)<<8
}

// AppendUint appends n in at least so many decimal digits, at most 20.
func AppendUint(b []byte, n uint64, digits int) []byte {
	if n >= digitsBelow {
		b = AppendUint(b, n/digitsBelow, digits-word)
		n, digits = n%digitsBelow, word
	} else if digits > word {
		b = AppendUint(b, 0, min(digits, maxUintDigits)-word)
		digits = word
	}
	if cap(b)-len(b) < word {
		b = append(b, make([]byte, word)...)[:len(b)]
	}
	return appendDigits(b, n, max(digits, 1))
}

// maxUintDigits are the digits of the largest uint64.
const maxUintDigits = 20

// appendDigits appends n, which is below 10^8, in at least so many digits, 1 to 8; b has room for eight bytes.
func appendDigits(b []byte, n uint64, digits int) []byte {
	w := digitWord(n)
	zeros := min(bits.TrailingZeros64(w)/8, word-digits)
	at := len(b)
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at)) = (w | ascii0) >> (8 * uint(zeros) & 63)
	return b[:at+word-zeros]
}
