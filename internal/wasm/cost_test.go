package wasm

import "time"

// looks is the most times that two pieces of work are compared.
const looks = 5

// timesAsMuch tells how many times the processor time of the reference a piece of work takes, whatever machine this is: the least of a
// few looks at both side by side, since what else the machine does may let either seem dearer. A look that finds no more
// than enough is the last.
func timesAsMuch(enough float64, work, reference func() time.Duration) (least float64) {
	for look := range looks {
		of := max(reference(), time.Microsecond) // the clock may be coarse
		times := float64(work()) / float64(of)
		if look == 0 || times < least {
			least = times
		}
		if least <= enough {
			break
		}
	}
	return least
}
