package access

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
)

// Limits of tokens.
const (
	MaxTokenLogs     = 20
	MaxTokenViews    = 20
	MaxTokenLifetime = 24 * time.Hour
	MaxSubjectBytes  = 200
	// maxTokenBytes bounds what is read as a token; one with all the logs and views that it may name is shorter.
	maxTokenBytes = 16 << 10
	tokenIssuer   = "tallystick"
)

// A token is a JSON Web Token (RFC 7519), signed with Ed25519 (EdDSA, RFC 8037). Its header names the key that made it, whose rights bound
// it at each request, and with which it ends.
type claims struct {
	jwt.RegisteredClaims

	Scope string   `json:"scope"` // separated by spaces, as in RFC 8693
	Logs  []string `json:"logs"`
	Views []string `json:"views,omitempty"`
}

// TokenRequest says what a token is to be for.
type TokenRequest struct {
	Subject  string
	Scopes   Scopes   // Read, Query or both
	Logs     []string // names of logs, which exist
	Views    []string // names of views; empty for all
	Lifetime time.Duration
}

// check returns an *event.InvalidError for what no token can be.
func (r *TokenRequest) check() error {
	switch {
	case r.Scopes == 0 || (Read|Query)&r.Scopes != r.Scopes:
		return event.Invalid("invalid_scopes", "a token has the scopes read, query or both")
	case len(r.Logs) == 0 || len(r.Logs) > MaxTokenLogs:
		return event.Invalid("invalid_token_request", "a token names 1 to %d logs; %d were given", MaxTokenLogs, len(r.Logs))
	case len(r.Views) > MaxTokenViews:
		return event.Invalid("invalid_token_request", "a token names at most %d views; %d were given", MaxTokenViews, len(r.Views))
	case len(r.Views) > 0 && r.Scopes.Has(Read):
		return event.Invalid("invalid_token_request", "a token that names views is for query alone: "+
			"with read, its holder has all events anyway")
	case r.Lifetime < time.Second || r.Lifetime > MaxTokenLifetime:
		return event.Invalid("invalid_token_request", "a token is good for 1 second to %v; %v were asked for", MaxTokenLifetime, r.Lifetime)
	case len(r.Subject) > MaxSubjectBytes || !utf8.ValidString(r.Subject):
		return event.Invalid("invalid_token_request", "the subject must be at most %d bytes of UTF-8", MaxSubjectBytes)
	}
	for _, view := range r.Views {
		if err := eventlog.CheckName("a view's name", view); err != nil {
			return err
		}
	}
	return nil
}

// sign makes the token with the caller's key, given as text.
func (r *TokenRequest) sign(keyID, key string, now time.Time) (token string, expires time.Time, err error) {
	expires = now.Add(r.Lifetime).Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Subject: r.Subject, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Scope: strings.Join(r.Scopes.Names(), " "), Logs: r.Logs, Views: r.Views,
	})
	t.Header["kid"] = keyID
	token, err = t.SignedString(signingKey(key))
	if err != nil {
		return "", expires, fmt.Errorf("signing a token: %w", err)
	}
	return token, expires, nil
}

// LooksLikeToken reports whether a text is meant to be a token: its header is JSON, so the base64 begins so.
func LooksLikeToken(text string) bool { return strings.HasPrefix(text, "eyJ") }

var errToken = errors.New("not a valid token")

// tokenParser accepts one algorithm, whatever a token's header says.
var tokenParser = jwt.NewParser(
	jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(tokenIssuer), jwt.WithExpirationRequired(),
	jwt.WithStrictDecoding())

// tokenKeyID returns the id of the key that a token says it was made with.
func tokenKeyID(token string) (string, bool) {
	if len(token) > maxTokenBytes || strings.ContainsAny(token, "\r\n") { // which base64 leaves out
		return "", false
	}
	t, _, err := tokenParser.ParseUnverified(token, &claims{})
	if err != nil {
		return "", false
	}
	id, ok := t.Header["kid"].(string)
	return id, ok && len(id) == keyIDLength && isBase62(id)
}

// isBounded reports whether a token names no more, and is good for no longer, than one that the server makes: whoever has the key can sign
// others.
func (c *claims) isBounded() bool {
	notName := func(name string) bool { return eventlog.CheckName("", name) != nil }
	return c.IssuedAt != nil && c.ExpiresAt.Sub(c.IssuedAt.Time) <= MaxTokenLifetime && len(c.Subject) <= MaxSubjectBytes &&
		len(c.Logs) > 0 && len(c.Logs) <= MaxTokenLogs && !slices.ContainsFunc(c.Logs, notName) &&
		len(c.Views) <= MaxTokenViews && !slices.ContainsFunc(c.Views, notName)
}

// verifyToken returns what a token is for, if the key verifies it.
func verifyToken(token string, key ed25519.PublicKey) (Scopes, *Grant, error) {
	var c claims
	if _, err := tokenParser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errToken, err)
	}
	scopes, err := ParseScopes(strings.Fields(c.Scope))
	if err != nil || !c.isBounded() {
		return 0, nil, errToken
	}
	return scopes, &Grant{Subject: c.Subject, Logs: c.Logs, Views: c.Views, Expires: c.ExpiresAt.Time}, nil
}
