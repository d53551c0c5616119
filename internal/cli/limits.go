package cli

import (
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/limits"
)

// addLimits adds the flag of the limits of tenants that have none of their own.
func (f *serverFlags) addLimits(flags *pflag.FlagSet, defaults limits.Values) {
	f.config.Limits = defaults
	flags.Var(&f.config.Limits, "limit",
		"a limit of each tenant that has none of its own, such as requests_per_second=500, or =0 for no such limit; "+
			"none for no limits at all; may be repeated, or hold commas; TALLY_LIMITS in the environment")
	// TALLY_LIMIT would be that of tally events, too, which counts events.
	_ = flags.SetAnnotation("limit", envAnnotation, []string{envPrefix + "LIMITS"}) // the flag is there
}
