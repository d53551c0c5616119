package access

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
)

// Scopes is a set of rights.
type Scopes uint8

// The scopes. Each is a right of its own: none includes another.
const (
	Append   Scopes = 1 << iota // append events, and create logs for them
	Read                        // read logs and their events: page, stream, tail, export, verify
	Query                       // query views, and follow their answers
	Deploy                      // deploy views, on logs and on patterns, and end them
	Admin                       // keys of the tenant, and its record
	Operator                    // tenants, all of them
	// AllScopes are what a server's first key has.
	AllScopes = 1<<iota - 1
)

// scopeNames are in the order of the constants.
var scopeNames = []string{"append", "read", "query", "deploy", "admin", "operator"}

// ParseScopes returns the set of the scopes that are named. The error is an *event.InvalidError.
func ParseScopes(names []string) (Scopes, error) {
	var set Scopes
	for _, name := range names {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			return 0, event.Invalid("invalid_scopes", "there is no scope %q: the scopes are %s", name, strings.Join(scopeNames, ", "))
		}
		set |= 1 << i
	}
	if set == 0 {
		return 0, event.Invalid("invalid_scopes", "name at least one scope: the scopes are %s", strings.Join(scopeNames, ", "))
	}
	return set, nil
}

// Names returns the names of the scopes in the set, in the order of the constants.
func (s Scopes) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Has reports whether the set has all of others.
func (s Scopes) Has(others Scopes) bool { return s&others == others }

// HasAny reports whether the set has one of others.
func (s Scopes) HasAny(others Scopes) bool { return s&others != 0 }
