package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/limits"
)

// Key describes a key, without its secret.
type Key struct {
	KeyID       string     `json:"key_id" doc:"It is part of the key, and no secret."`
	Name        string     `json:"name" doc:"It is recorded with what is done by the key."`
	Scopes      []string   `json:"scopes" nullable:"false" doc:"What the key may do: append, read, query, deploy, admin, operator."`
	Logs        string     `json:"logs" doc:"The pattern of the names of logs that there are for the key." example:"customer-*"`
	Limits      Limits     `json:"limits" doc:"Its own, beside those of its tenant: of those that are absent, it has none."`
	CreatedAt   time.Time  `json:"created_at" doc:"When it was made."`
	CreatedBy   string     `json:"created_by" doc:"The name of the key that made it."`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" doc:"Absent when it never expires."`
	RotatedAt   *time.Time `json:"rotated_at,omitempty" doc:"When it got its present secret; absent when that is its first."`
	FormerUntil *time.Time `json:"former_until,omitempty" doc:"Until when the secret from before that is good."`
	RevokedAt   *time.Time `json:"revoked_at,omitempty" doc:"When it was revoked; absent when it was not."`
	LastUsedAt  *time.Time `json:"last_used_at,omitempty" doc:"To the minute; absent when it never was."`
}

func presentKey(k access.Key) Key {
	return Key{
		KeyID: k.ID, Name: k.Name, Scopes: k.Scopes.Names(), Logs: string(k.Logs), CreatedAt: k.CreatedAt.UTC(), CreatedBy: k.CreatedBy,
		ExpiresAt: presentTime(k.ExpiresAt), RotatedAt: presentTime(k.RotatedAt), FormerUntil: presentTime(k.FormerUntil),
		Limits: presentLimits(k.Limits), RevokedAt: presentTime(k.RevokedAt), LastUsedAt: presentTime(k.LastUsedAt),
	}
}

// CreatedKey is a key with its secret.
type CreatedKey struct {
	Key

	Secret string `json:"key" doc:"The key. It is shown this once: the server keeps its SHA-256 only."`
}

// KeyPath is the {key} of a path.
type KeyPath struct {
	KeyID string `path:"key" maxLength:"64" doc:"The key's id." example:"0123456789abcdef"`
}

// CreateKey is a key that is to be made.
type CreateKey struct {
	Name      string     `json:"name" doc:"Unique among the tenant's keys that are not revoked; letters, digits and . _ : @ + = ~ -." example:"gateway-1"`
	Scopes    []string   `json:"scopes" nullable:"false" doc:"What the key may do: append, read, query, deploy, admin, operator."`
	Logs      string     `json:"logs,omitempty" doc:"The pattern of the names of logs that there are for the key; all when absent." example:"customer-*"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never when absent."`
	Limits    *OwnLimits `json:"limits,omitempty" doc:"Of its own, beside those of its tenant: requests, events and bytes a second, and streams."`
}

type createKeyInput struct {
	ActorHeader
	Body CreateKey
}

type newKeyOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         CreatedKey
}

type keyOutput struct{ Body Key }

// RotateKey says how a key gets another secret.
type RotateKey struct {
	FormerValidSeconds *int64 `json:"former_valid_seconds,omitempty" minimum:"0" maximum:"604800" doc:"How long the present secret stays good; 3600 when absent."`
}

type rotateKeyInput struct {
	KeyPath
	ActorHeader
	Body RotateKey
}

type revokeKeyInput struct {
	KeyPath
	ActorHeader
}

type listKeysInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

// KeyPage is a page of keys.
type KeyPage struct {
	Keys       []Key  `json:"keys" nullable:"false" doc:"By id."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type listKeysOutput struct{ Body KeyPage }

func (s *server) registerKeys(api huma.API) {
	tags := []string{"access"}
	register(s, api, access.Admin, huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/keys", Summary: "Make a key of the tenant", Tags: tags,
		Description: "The key is in the answer, this once. A key that makes others gives no logs that it has not itself, " +
			"and the scope operator only if it has that.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusConflict},
	}, s.createKey)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/keys", Summary: "List the tenant's keys", Tags: tags,
		Description: "Those that are revoked or expired, too. Secrets are not there.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, s.listKeys)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "get-key", Method: http.MethodGet, Path: "/keys/{key}", Summary: "Get a key, without its secret", Tags: tags,
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.getKey)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "rotate-key", Method: http.MethodPost, Path: "/keys/{key}/rotate", Summary: "Give a key another secret", Tags: tags,
		Metadata: map[string]any{unlimited: true},
		Description: "The new key is in the answer, this once. The one from before stays good for a while, so that clients can " +
			"change over.",
		MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusConflict},
	}, s.rotateKey)
	register(s, api, access.Admin, huma.Operation{
		OperationID: "revoke-key", Method: http.MethodDelete, Path: "/keys/{key}", Summary: "Revoke a key", Tags: tags,
		Metadata:    map[string]any{unlimited: true},
		Description: "For good, and on every server within a second; streams that it opened end. The tokens that it made end with it.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, s.revokeKey)
}

func (s *server) createKey(ctx context.Context, in *createKeyInput) (*newKeyOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	scopes, err := access.ParseScopes(in.Body.Scopes)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	own, err := in.Body.Limits.stored((*limits.Limits).CheckKey)
	if err != nil {
		return nil, err
	}
	wanted := access.KeyRequest{Name: in.Body.Name, Scopes: scopes, Logs: eventlog.Pattern(in.Body.Logs), Limits: own}
	if in.Body.ExpiresAt != nil {
		wanted.ExpiresAt = *in.Body.ExpiresAt
	}
	caller := requestOf(ctx).caller
	if err := caller.Covers(wanted); err != nil {
		return nil, s.problem(ctx, err)
	}
	key, text, err := s.Access.CreateKey(ctx, by, caller.Tenant, wanted)
	return s.newKey(ctx, key, text, err)
}

// newKey shows a key's secret.
func (s *server) newKey(ctx context.Context, key access.Key, text string, err error) (*newKeyOutput, error) {
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &newKeyOutput{CacheControl: "no-store", Body: CreatedKey{Key: presentKey(key), Secret: text}}, nil
}

func (s *server) listKeys(ctx context.Context, in *listKeysInput) (*listKeysOutput, error) {
	keys, err := s.Access.Keys(ctx, s.tenant(ctx), in.Cursor, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listKeysOutput{}
	out.Body.Keys = make([]Key, len(keys))
	for i, key := range keys {
		out.Body.Keys[i] = presentKey(key)
	}
	if len(keys) == int(in.Limit) {
		out.Body.NextCursor = keys[len(keys)-1].ID
	}
	return out, nil
}

func (s *server) getKey(ctx context.Context, in *KeyPath) (*keyOutput, error) {
	key, err := s.Access.Key(ctx, s.tenant(ctx), in.KeyID)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &keyOutput{presentKey(key)}, nil
}

func (s *server) rotateKey(ctx context.Context, in *rotateKeyInput) (*newKeyOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	formerValid := access.DefaultFormerValid
	if seconds := in.Body.FormerValidSeconds; seconds != nil {
		formerValid = time.Duration(*seconds) * time.Second
	}
	key, text, err := s.Access.RotateKey(ctx, requestOf(ctx).caller, by, in.KeyID, formerValid)
	if err == nil {
		s.Gate.Refresh(ctx)
	}
	return s.newKey(ctx, key, text, err)
}

func (s *server) revokeKey(ctx context.Context, in *revokeKeyInput) (*keyOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	key, err := s.Access.RevokeKey(ctx, requestOf(ctx).caller, by, in.KeyID)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	s.Gate.Refresh(ctx)
	return &keyOutput{presentKey(key)}, nil
}
