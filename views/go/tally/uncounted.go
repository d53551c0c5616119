package tally

// A view counts what it leaves out of its totals, by reason, so that no answer is too low without a trace. A reason is a field's
// name and one of these, as in "tokens_in_not_a_number", or a word of the view's own, in letters a to z and _.
const (
	NotANumber       = "not_a_number"        // neither a number nor a string that reads as one
	HasTooManyDigits = "has_too_many_digits" // a number, but of more digits than a [Decimal] is read with
	NotText          = "not_text"            // an array or an object, where a name should be
	TooLong          = "too_long"            // a name that makes a key too long
	HasNUL           = "has_nul"             // a name that no key can hold
)

const (
	lastSequence = "last_sequence"

	// maxCountDigits is what a count and a sequence may have; one event in each nanosecond takes 30 years to get there.
	maxCountDigits = 18
)

// reasonCount is a reason and its count.
type reasonCount struct {
	reason string
	count  uint64
}

// NoteUncounted counts under a key that something of an event is in no total, once for each of the reasons, and keeps the event's
// sequence: {"tokens_in_not_a_number":2,"last_sequence":17}, the reasons in the order in which they were first met. An error is for
// Fold to return: the value of the key is not what NoteUncounted writes.
func NoteUncounted(key string, sequence int64, reasons ...string) error {
	var all []reasonCount
	if value, stored := Get(key); stored {
		var ok bool
		if all, ok = readUncounted(NoCopy(value)); !ok {
			return foreign(key)
		}
	}
	for _, reason := range reasons {
		all = countReason(all, reason)
	}
	b := append(Room(totalsRoom), '{')
	for _, l := range append(all, reasonCount{lastSequence, uint64(sequence)}) {
		b = append(append(append(b, '"'), l.reason...), `":`...)
		b = append(AppendUint(b, l.count, 1), ',')
	}
	b[len(b)-1] = '}'
	Set(key, b)
	return nil
}

func countReason(all []reasonCount, reason string) []reasonCount {
	for i := range all {
		if all[i].reason == reason {
			all[i].count++
			return all
		}
	}
	return append(all, reasonCount{reason, 1})
}

// SumUncounted is the sum of what was counted in a value that [NoteUncounted] wrote under a key. An error is for Query to return: the value
// is another.
func SumUncounted(key string, value []byte) (sum uint64, err error) {
	all, ok := readUncounted(NoCopy(value))
	if !ok {
		return 0, foreign(key)
	}
	for _, l := range all {
		sum += l.count
	}
	return sum, nil
}

// readUncounted reads {"reason":n,…,"last_sequence":n} in the form that it was written in, and in no other.
func readUncounted(s string) (all []reasonCount, ok bool) {
	if s == "" || s[0] != '{' {
		return nil, false
	}
	for at := 1; ; at++ {
		var l reasonCount
		if l, at = takeCount(s, at); at == none || at == len(s) {
			return nil, false
		}
		if l.reason == lastSequence {
			return all, s[at:] == "}"
		}
		if s[at] != ',' {
			return nil, false
		}
		all = append(all, l)
	}
}

// takeCount takes "reason":n at s[at] and returns where it ends; none if it is not there.
func takeCount(s string, at int) (l reasonCount, end int) {
	end = at + 1
	for end < len(s) && (s[end] == '_' || 'a' <= s[end] && s[end] <= 'z') {
		end++
	}
	if end == at+1 || !hasAt(s, at, `"`) || !hasAt(s, end, `":`) {
		return l, none
	}
	l.reason = s[at+1 : end]
	at = end + len(`":`)
	end = at + pastDigits(s[at:], 0)
	if digits := end - at; digits == 0 || digits > maxCountDigits || digits > 1 && s[at] == '0' {
		return l, none
	}
	l.count, _ = takeLimb(s, at)
	return l, end
}
