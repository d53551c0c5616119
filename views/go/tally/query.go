package tally

import "iter"

// Query is the query string of a request as it was sent: month=2025-03&team=a%20b. It is valid until the call returns.
type Query string

// All iterates over the parameters, in their order, decoded. What stands between two & without = is a name with an empty
// value; a % without two hexadecimal digits stands for itself.
func (q Query) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := string(q); rest != ""; {
			end := index(rest, '&')
			pair := rest[:end]
			rest = rest[min(end+1, len(rest)):]
			if pair == "" {
				continue
			}
			equals := index(pair, '=')
			if !yield(decode(pair[:equals]), decode(pair[min(equals+1, len(pair)):])) {
				return
			}
		}
	}
}

// Get returns the value of a parameter, the last one where it was given twice.
func (q Query) Get(name string) (value string, ok bool) {
	for n, v := range q.All() {
		if n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// index returns where c first is in s, the end where it is not.
func index(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return len(s)
}

// decode resolves + and %20.
func decode(s string) string {
	if index(s, '%') == len(s) && index(s, '+') == len(s) {
		return s
	}
	b := Room(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			c = byte(hexDigit(s[i+1])<<4 | hexDigit(s[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return NoCopy(b)
}
