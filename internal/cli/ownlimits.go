package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/limits"
)

// ownLimits is the flag --limit of what a tenant or a key has of its own: by name.
type ownLimits map[string]int64

// add adds the flag. Its environment variable is neither the server's nor that of commands with other limits.
func (l *ownLimits) add(flags *pflag.FlagSet, env, usage string) {
	*l = ownLimits{}
	flags.Var(l, "limit", usage)
	_ = flags.SetAnnotation("limit", envAnnotation, []string{env}) // the flag is there
}

func (l *ownLimits) String() string { return describeLimits(*l) }

// Type is what help texts call it.
func (l *ownLimits) Type() string { return "name=value" }

// Set reads name=value, or several with commas between.
func (l *ownLimits) Set(text string) error {
	for setting := range strings.SplitSeq(text, ",") {
		limit, value, err := limits.ParseSetting(setting)
		if err != nil {
			return err
		}
		(*l)[limit.String()] = value
	}
	return nil
}

func describeLimits(own map[string]int64) string {
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		settings = append(settings, fmt.Sprintf("%s=%d", name, own[name]))
	}
	return strings.Join(settings, ",")
}
