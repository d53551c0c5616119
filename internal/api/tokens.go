package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
)

// CreateToken is a token that is to be made.
type CreateToken struct {
	Scopes  []string `json:"scopes" nullable:"false" doc:"read, query or both: the key must have them."`
	Logs    []string `json:"logs" nullable:"false" minItems:"1" maxItems:"20" doc:"Names or ids of the logs that the token is for."`
	Views   []string `json:"views,omitempty" maxItems:"20" doc:"Names of the views that it is for, with query alone; all of those logs when absent."`
	Seconds int64    `json:"seconds,omitempty" minimum:"1" maximum:"86400" default:"900" doc:"How long it is good."`
	Subject string   `json:"subject,omitempty" doc:"Who it is for, for the record and in the token: at most 200 bytes." example:"customer 4711"`
}

type createTokenInput struct {
	ActorHeader
	Body CreateToken
}

// Token is a token that was made.
type Token struct {
	Token     string    `json:"token" doc:"A JSON Web Token, for Authorization: Bearer."`
	ExpiresAt time.Time `json:"expires_at" doc:"When it ends."`
}

type tokenOutput struct {
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         Token
}

func (s *server) registerTokens(api huma.API) {
	register(s, api, access.Read|access.Query, huma.Operation{
		OperationID: "create-token", Method: http.MethodPost, Path: "/tokens",
		Summary: "Make a token for a product's customer", Tags: []string{"access"},
		Description: "A signed token that may read or query the named logs and views and do nothing else, for a page in a browser. " +
			"It ends when it says, and within a second when the key that made it is revoked, expires, " +
			"or loses the secret it was made with.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusConflict},
	}, s.createToken)
}

func (s *server) createToken(ctx context.Context, in *createTokenInput) (*tokenOutput, error) {
	by, err := s.doer(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	caller := requestOf(ctx).caller
	if caller.KeyID == "" {
		return nil, newProblem("token_needs_key", "a token is made with a key, by whose secret it is signed: "+
			"make a key by POST /keys, and send it with this request, also where the server asks for none")
	}
	if caller.Elsewhere { // the token would be for the logs of those names in the key's own tenant
		return nil, newProblem("token_needs_key",
			"a token is for logs of its key's own tenant: make it with a key of the tenant "+caller.TenantName)
	}
	scopes, err := access.ParseScopes(in.Body.Scopes)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	if missing := scopes &^ caller.Scopes & (access.Read | access.Query); missing != 0 {
		return nil, missingScope(missing)
	}
	wanted := access.TokenRequest{
		Subject: in.Body.Subject, Scopes: scopes, Views: in.Body.Views,
		Lifetime: time.Duration(in.Body.Seconds) * time.Second,
	}
	for _, ref := range in.Body.Logs {
		log, err := s.find(ctx, ref)
		if err != nil {
			return nil, err
		}
		wanted.Logs = append(wanted.Logs, log.Name)
	}
	token, expires, err := s.Access.MakeToken(ctx, caller, by, requestOf(ctx).credential, wanted)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &tokenOutput{CacheControl: "no-store"}
	out.Body.Token, out.Body.ExpiresAt = token, expires.UTC()
	return out, nil
}

// AuditEntry is something that was done with tenants, keys, tokens or analysts.
type AuditEntry struct {
	EntryID int64           `json:"entry_id" doc:"Grows with each entry."`
	At      time.Time       `json:"at" doc:"When."`
	Actor   string          `json:"actor" doc:"The name of the key by which it was done, and what Tally-Actor said; or the login of a command that asks the database itself."`
	KeyID   string          `json:"key_id,omitempty" doc:"That key's id."`
	Action  string          `json:"action" example:"key.create" doc:"What was done."`
	Target  string          `json:"target" doc:"The name of what it was done to."`
	Detail  json.RawMessage `json:"detail" doc:"What else there is to know; never a secret."`
}

type recordInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"200" doc:"The most of a page."`
}

// AuditPage is a page of the audit log.
type AuditPage struct {
	Entries    []AuditEntry `json:"entries" nullable:"false" doc:"Newest first."`
	NextCursor string       `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type recordOutput struct{ Body AuditPage }

func (s *server) registerRecord(api huma.API) {
	register(s, api, access.Admin, huma.Operation{
		OperationID: "list-audit-log", Method: http.MethodGet, Path: "/audit-log",
		Summary: "Read what was done with the tenant, its keys, tokens and analysts, and by whom", Tags: []string{"access"},
		Description: "What was done to a view is with its versions.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, s.listRecord)
}

func (s *server) listRecord(ctx context.Context, in *recordInput) (*recordOutput, error) {
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = math.MaxInt64
	}
	entries, err := s.Access.Recorded(ctx, s.tenant(ctx), before, in.Limit, requestOf(ctx).answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	size := 0
	for i := range entries {
		size += 1<<9 + len(entries[i].Detail)
	}
	if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
		return nil, err
	}
	out := &recordOutput{}
	out.Body.Entries = make([]AuditEntry, len(entries))
	for i, e := range entries {
		out.Body.Entries[i] = AuditEntry{
			EntryID: e.ID, At: e.At.UTC(), Actor: e.Actor.Name, KeyID: e.Actor.KeyID, Action: e.Action, Target: e.Target, Detail: e.Detail,
		}
	}
	if len(entries) == int(in.Limit) {
		out.Body.NextCursor = nextCursor(entries[len(entries)-1].ID)
	}
	return out, nil
}
