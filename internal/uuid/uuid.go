// Package uuid has the one identifier type that Tallystick stores: of logs, views, versions and tenants. The halves of hashes that identify
// keys and payloads have it too. It uses no database.
package uuid

import (
	"bytes"
	"errors"

	"github.com/google/uuid"
)

// UUID is 16 bytes. The zero UUID is no identifier: it stands for none.
type UUID [16]byte

// textLength is the length of the only text form that Parse accepts: 8-4-4-4-12 hexadecimal digits.
const textLength = 36

// New returns a new version 7 UUID (RFC 9562): later ones sort after earlier ones, so they fill an index in order.
func New() UUID { return UUID(uuid.Must(uuid.NewV7())) }

// Parse parses the form of 36 characters, in either case, and no other.
func Parse(text string) (UUID, error) {
	if len(text) != textLength {
		return UUID{}, errors.New("a UUID has 36 characters")
	}
	id, err := uuid.Parse(text)
	return UUID(id), err
}

// MustParse is Parse for constants. It panics when Parse fails.
func MustParse(text string) UUID {
	id, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return id
}

// IsZero reports whether the UUID stands for none.
func (u UUID) IsZero() bool { return u == UUID{} }

// Compare orders UUIDs as PostgreSQL does: -1, 0 or 1.
func (u UUID) Compare(other UUID) int { return bytes.Compare(u[:], other[:]) }

// String returns the form that Parse reads, in lower case.
func (u UUID) String() string { return uuid.UUID(u).String() }

// MarshalText implements encoding.TextMarshaler with String's form.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler as Parse does.
func (u *UUID) UnmarshalText(text []byte) (err error) {
	*u, err = Parse(string(text))
	return err
}
