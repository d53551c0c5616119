package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
)

// alsoForTokens is the key of an operation's metadata by which it is for tokens too, though it is not about a log.
const alsoForTokens = "also for tokens"

// Caller is who asks, and what it may do.
type Caller struct {
	Tenant    string      `json:"tenant" doc:"The tenant that requests act in."`
	Suspended bool        `json:"suspended,omitempty" doc:"True while the tenant appends nothing."`
	Scopes    []string    `json:"scopes" nullable:"false" doc:"What the key or token may do."`
	Logs      string      `json:"logs" doc:"The pattern of the logs that there are for it." example:"customer-*"`
	Keys      bool        `json:"keys" doc:"Whether this server asks for keys; without, everybody may do everything."`
	KeyID     string      `json:"key_id,omitempty" doc:"The key's id, or that of the key with which the token was made."`
	KeyName   string      `json:"key_name,omitempty" doc:"That key's name."`
	ExpiresAt *time.Time  `json:"expires_at,omitempty" doc:"When the key or token ends; never when absent."`
	Token     *TokenGrant `json:"token,omitempty" doc:"What the token is for, where it is one."`
}

// TokenGrant is what a token is for.
type TokenGrant struct {
	Subject string   `json:"subject,omitempty" doc:"Who it was made for."`
	Logs    []string `json:"logs" nullable:"false" doc:"Names of the logs that it is for."`
	Views   []string `json:"views" nullable:"false" doc:"Names of the views that it is for; empty for all of those logs."`
}

type callerOutput struct {
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         Caller
}

func (s *server) registerCaller(api huma.API) {
	register(s, api, access.AllScopes, huma.Operation{
		OperationID: "get-caller", Method: http.MethodGet, Path: "/caller",
		Summary: "Get what a key or token may do", Tags: []string{"access"},
		Description: "Who asks: the tenant, the scopes and the logs of the key or token that the request has. " +
			"Programs that show only what they may do begin with it.",
		Metadata: map[string]any{alsoForTokens: true},
	}, s.getCaller)
}

func (s *server) getCaller(ctx context.Context, _ *struct{}) (*callerOutput, error) {
	caller := requestOf(ctx).caller
	out := &callerOutput{CacheControl: "no-store", Body: Caller{
		Tenant: caller.TenantName, Suspended: caller.Suspended, Scopes: caller.Scopes.Names(), Logs: string(caller.Logs),
		Keys: s.Keys, KeyID: caller.KeyID, KeyName: caller.KeyName,
	}}
	if !caller.Expires.IsZero() {
		end := caller.Expires.UTC()
		out.Body.ExpiresAt = &end
	}
	if grant := caller.Token; grant != nil {
		out.Body.Token = &TokenGrant{Subject: grant.Subject, Logs: grant.Logs, Views: append([]string{}, grant.Views...)}
	}
	return out, nil
}
