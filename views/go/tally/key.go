package tally

import "unsafe"

// Key joins two texts into a key: "2025-03" and "gpt-4" to "2025-03/gpt-4". ok is false if the server would not take it: it has
// more than [MaxKeyBytes], or a NUL, as an event's texts may. They are UTF-8 in any case. The key is valid until the call of Fold
// or Query returns.
func Key(scope, name string) (key string, ok bool) {
	first, second := len(scope), len(name)
	n := first + len("/") + second
	if n > MaxKeyBytes {
		return "", false
	}
	to := take(n + word)
	if first > word || second > 2*word {
		b := append(unsafe.Slice((*byte)(to), n)[:0], scope...)
		b = append(append(b, '/'), name...)
		return NoCopy(b), !hasNUL(NoCopy(b))
	}
	// Nearly every key is short: a name is one word, or two that may overlap.
	head, tail, start := uint64(0), uint64(everyByte), uint64(0)
	if second >= word {
		head = wordAt(name, 0)
	} else {
		head = wordUpTo(name, 0, second)
	}
	if first == len("2025-03") { // a month, as most scopes are
		start = uint64(halfAt(scope, 0)) | uint64(halfAt(scope, first-half))<<(8*uint(len("2025-03")-half))
	} else {
		start = wordUpTo(scope, 0, first)
	}
	name1 := unsafe.Add(to, first+1)
	*(*uint64)(to) = start
	*(*byte)(unsafe.Add(to, first)) = '/'
	*(*uint64)(name1) = head
	if second > word {
		tail = wordAt(name, second-word)
		*(*uint64)(unsafe.Add(name1, second-word)) = tail
	}
	return unsafe.String((*byte)(to), n), !hasZero(filled(start, first)) && !hasZero(filled(head, second)) && !hasZero(tail)
}

// filled returns a word of n bytes with bytes that are not 0 after them.
func filled(w uint64, n int) uint64 {
	if n < word {
		w |= everyByte << (8 * uint(n))
	}
	return w
}

// hasZero reports whether a byte of a word is 0.
func hasZero(w uint64) bool { return (w-everyByte)&^w&(0x80*everyByte) != 0 }

func hasNUL(s string) bool { return index(s, 0) < len(s) }
