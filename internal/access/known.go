package access

import (
	"crypto/ed25519"
	"crypto/subtle"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
)

// known is what is known of a key.
type known struct {
	caller                 *Caller // nil: there is no such key, or it is revoked
	secretHash, formerHash []byte
	tokenKey, formerKey    ed25519.PublicKey
	formerUntil, expires   time.Time // zero: never
	used                   atomic.Int64
	recorded               int64 // the use that the database has; guarded by Gate.mu
}

// token is a token that was verified.
type token struct {
	keyID  string
	key    *known  // by which it was verified: it is good while nothing else is known of that id
	caller *Caller // until it expires: the token, its key, or the secret that it was made with
}

func newKnown(row dbsqlc.KeyAccessRow, found bool) *known {
	if !found || row.RevokedAt.Valid {
		return &known{}
	}
	var scopes Scopes
	for _, name := range row.Scopes { // of a newer server's scopes it has those that this one knows
		if scope, err := ParseScopes([]string{name}); err == nil {
			scopes |= scope
		}
	}
	return &known{
		caller: &Caller{
			Tenant: row.TenantID, TenantName: row.TenantName, Suspended: row.TenantSuspendedAt.Valid,
			KeyID: row.KeyID, KeyName: row.Name, Scopes: scopes, Logs: eventlog.Pattern(row.Logs),
			Expires: row.ExpiresAt.Time, KeyLimits: row.Limits, TenantLimits: row.TenantLimits,
		},
		secretHash: row.SecretHash, formerHash: row.FormerSecretHash, tokenKey: row.TokenKey, formerKey: row.FormerTokenKey,
		formerUntil: row.FormerUntil.Time, expires: row.ExpiresAt.Time, recorded: row.LastUsedAt.Time.UnixNano(),
	}
}

// callerWith returns who has the key with this text: its present one, or its former one while that is good. It is nil for any other text,
// and takes as long whichever it is.
func (k *known) callerWith(text string, now time.Time) *Caller {
	hash := secretHash(text)
	current := subtle.ConstantTimeCompare(hash[:], k.secretHash)
	former := subtle.ConstantTimeCompare(hash[:], k.formerHash)
	switch {
	case k.caller == nil:
		return nil
	case current == 1:
		return k.caller
	case former == 1 && now.Before(k.formerUntil):
		caller := *k.caller
		caller.endBy(k.formerUntil)
		return &caller
	}
	return nil
}

func (k *known) good(now time.Time) bool { return k.expires.IsZero() || now.Before(k.expires) }

// verify returns who has a token: never more than its key may do.
func (k *known) verify(text string, now time.Time) (*token, error) {
	var until time.Time
	scopes, grant, err := verifyToken(text, k.tokenKey)
	if err != nil && now.Before(k.formerUntil) {
		until = k.formerUntil
		scopes, grant, err = verifyToken(text, k.formerKey)
	}
	if err != nil {
		return nil, err
	}
	caller := *k.caller
	caller.Scopes &= scopes & (Read | Query)
	caller.Token = grant
	for _, end := range []time.Time{grant.Expires, until} {
		caller.endBy(end)
	}
	return &token{keyID: caller.KeyID, key: k, caller: &caller}, nil
}
