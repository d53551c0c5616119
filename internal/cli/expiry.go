package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// longDuration is a flag's duration, which may be in days.
type longDuration time.Duration

const day = 24 * time.Hour

// maxDays keeps a number of days within a duration.
const maxDays = 100 * 365

func (d *longDuration) String() string {
	if *d == 0 {
		return "0" // help texts leave out a default of that
	}
	return time.Duration(*d).String()
}

// Type is what help texts call it.
func (d *longDuration) Type() string { return "duration" }

// Set reads such as 90d, 12h, 15m or 1h30m.
func (d *longDuration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 32)
		if n > maxDays {
			err = errors.New("too long")
		}
		parsed = time.Duration(n) * day
	}
	if err != nil || parsed < 0 {
		return fmt.Errorf("%q is no duration such as 90d, 12h or 15m", text)
	}
	*d = longDuration(parsed)
	return nil
}

// expiryFlags say when something ends.
type expiryFlags struct {
	in longDuration
	at string
}

func (e *expiryFlags) add(flags *pflag.FlagSet) {
	flags.Var(&e.in, "expires-in", "how long it is good, such as 90d or 12h; for ever when not given")
	flags.StringVar(&e.at, "expires-at", "", "until when it is good, instead: a time (RFC 3339), a date or a month, in UTC")
}

// moment returns when it ends, counted from now; nil for never.
func (e *expiryFlags) moment(now time.Time) (*time.Time, error) {
	switch {
	case e.at != "" && e.in > 0:
		return nil, usagef("--expires-in and --expires-at both say when the key ends: give one of them")
	case e.at != "":
		at, err := readTime(e.at)
		if err != nil {
			return nil, usagef("--expires-at: %w", err)
		}
		return &at, nil
	case e.in > 0:
		at := now.Add(time.Duration(e.in)).UTC().Truncate(time.Second)
		return &at, nil
	}
	return nil, nil //nolint:nilnil // nil is an answer: never
}
