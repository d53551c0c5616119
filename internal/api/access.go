package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick/internal/access"
)

const (
	// tenantHeader names the tenant that an operator's key acts in.
	tenantHeader = "Tally-Tenant"
	// keyHeader may have the key; so may Authorization, as Bearer, or as the password of Basic.
	keyHeader = "X-Api-Key"
	// firehoseHeader has the key where Amazon Data Firehose sends: it can set no other.
	firehoseHeader = "X-Amz-Firehose-Access-Key"

	// anybody is for register: an operation that asks for no key.
	anybody access.Scopes = 0
	// neededScopes is the key of an operation's metadata for the scopes of which a caller needs one; without it nobody may do it.
	neededScopes = "needed scopes"
	// forKeys is the key of an operation's metadata by which it is not for tokens: it shows what a tenant's customers should not see.
	forKeys = "for keys"
	// unlimited is that of one whose requests are not held to rates: a storm by a key must not keep its revocation out.
	unlimited = "unlimited"
)

var securitySchemes = map[string]*huma.SecurityScheme{
	"bearer": {Type: "http", Scheme: "bearer", Description: "A key, or a token that POST /tokens made."},
	"apiKey": {Type: "apiKey", In: "header", Name: keyHeader, Description: "A key."},
	"basic":  {Type: "http", Scheme: "basic", Description: "A key as the password; the user name does not matter."},
}

// restrict has an operation ask for one of the scopes, and returns the errors that come of it.
func restrict(operation *huma.Operation, scopes access.Scopes) []int {
	operation.Metadata[neededScopes] = scopes
	if scopes == anybody {
		operation.Security = []map[string][]string{}
		return nil
	}
	names := scopes.Names()
	operation.Security = []map[string][]string{{"bearer": names}, {"apiKey": names}, {"basic": names}}
	needs := "Needs the scope " + strings.Join(names, " or ") + "."
	operation.Description = strings.TrimSpace(operation.Description + " " + needs)
	operation.Parameters = append(operation.Parameters, &huma.Param{
		Name: tenantHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The tenant to act in, for keys with the scope operator; the key's own when absent.",
	})
	return []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests}
}

// credential returns the key or token that a request's headers have; "" for none. Never the query string: that is logged everywhere.
func credential(header http.Header) string {
	if key := header.Get(keyHeader); key != "" {
		return key
	}
	scheme, value, _ := strings.Cut(header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return value
	case strings.EqualFold(scheme, "basic"):
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return ""
		}
		_, password, _ := strings.Cut(string(decoded), ":")
		return password
	}
	return header.Get(firehoseHeader)
}

// authorize lets an operation begin if its caller may do it. It comes before anything else is read of a request.
func (s *server) authorize(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if p := s.admit(r, ctx.Operation()); p != nil {
		if ctx.Operation().Metadata[gatewayOperation] != nil {
			p = forGateway(p)
		}
		writeProblem(w, p)
		return
	}
	if p := takeEncoding(r, ctx.Operation()); p != nil {
		writeProblem(w, p)
		return
	}
	next(ctx)
}

// admit finds out who sends a request, and returns nil if they may do the operation. It may be called twice.
func (s *server) admit(r *http.Request, operation *huma.Operation) *Problem {
	needed, known := operation.Metadata[neededScopes].(access.Scopes)
	request := requestOf(r.Context())
	if known && needed == anybody || request.caller != nobody {
		return nil
	}
	caller, p := s.identify(r.Context())
	if p != nil {
		return p
	}
	if p := permit(caller, needed, operation); p != nil {
		return p
	}
	request.caller, request.operation = caller, operation
	return s.charge(r)
}

// identify returns who sends a request.
func (s *server) identify(ctx context.Context) (*access.Caller, *Problem) {
	request := requestOf(ctx)
	caller := s.anyone
	var err error
	switch {
	case request.credential != "" && (s.Keys || access.LooksLikeKey(request.credential) || access.LooksLikeToken(request.credential)):
		caller, err = s.Gate.Authenticate(ctx, request.credential)
	case s.Keys:
		err = access.ErrUnauthorized
	}
	if err == nil && request.actsIn != "" && request.actsIn != caller.TenantName {
		if caller.Token != nil || !caller.Scopes.Has(access.Operator) {
			return nil, missingScope(access.Operator)
		}
		caller, err = s.Gate.ActIn(ctx, caller, request.actsIn)
	}
	if err != nil {
		return nil, s.present(ctx, err).of(request.id)
	}
	if request.fromAllowedOrigin && caller.Token == nil {
		return nil, newProblem("cross_origin", "a browser sent this request for a page of another origin, and not with a token: "+
			"make one by POST /tokens for it; a key does not belong there, since whoever has the page has the key")
	}
	return caller, nil
}

// permit returns nil if the caller has one of the needed scopes, and nothing else is against it.
func permit(caller *access.Caller, needed access.Scopes, operation *huma.Operation) *Problem {
	switch {
	case !caller.Scopes.HasAny(needed):
		return missingScope(needed)
	case caller.Token != nil && !forTokens(operation):
		return newProblem("missing_scope",
			"a token is for events and answers of the logs that it names, and for nothing else; this takes a key")
	case caller.Suspended && needed == access.Append:
		return newProblem("tenant_suspended", "the tenant is suspended: nothing was stored; its operator can resume it")
	}
	return nil
}

// forTokens reports whether an operation is for whoever has a token.
func forTokens(operation *huma.Operation) bool {
	if operation.Metadata[alsoForTokens] != nil {
		return true
	}
	return strings.HasPrefix(operation.Path, "/logs/{log}") && operation.Metadata[forKeys] == nil
}

func missingScope(needed access.Scopes) *Problem {
	return newProblem("missing_scope", "the key has not the scope that this takes: "+strings.Join(needed.Names(), " or "))
}

// unauthorized is the one problem of whoever has no valid key, so that nothing can be guessed of those that there are.
func unauthorized(ctx context.Context) *Problem {
	p := newProblem("unauthorized", "this takes a valid key: send it as Authorization: Bearer, as X-Api-Key, or as the password of Basic; "+
		"a key that was sent is unknown, expired or revoked")
	challenges := []string{`Bearer realm="tallystick"`}
	if !requestOf(ctx).fromBrowser { // which would ask for a password, over the page that sent the request
		challenges = append(challenges, `Basic realm="tallystick", charset="UTF-8"`)
	}
	p.header = http.Header{"Www-Authenticate": challenges}
	return p
}

// outsidePattern is the problem of whoever would make something that there is not for their key.
func outsidePattern(allowed string) *Problem {
	return newProblem("outside_pattern", "the key is for "+allowed+"; nothing was done")
}

// accessProblem maps the errors of keys and tenants.
func accessProblem(ctx context.Context, err error) *Problem {
	switch {
	case errors.Is(err, access.ErrUnauthorized):
		return unauthorized(ctx)
	case errors.Is(err, access.ErrTenantNotFound):
		return newProblem("tenant_not_found", "there is no tenant with that name; GET /tenants lists them")
	case errors.Is(err, access.ErrTenantNameTaken):
		return newProblem("name_taken", "another tenant has that name")
	case errors.Is(err, access.ErrKeyNotFound):
		return newProblem("key_not_found", "the tenant has no key with that id; GET /keys lists them")
	case errors.Is(err, access.ErrKeyNameTaken):
		return newProblem("name_taken", "another key of the tenant has that name: revoke it first, rotate it, or choose another name")
	case errors.Is(err, access.ErrKeyRevoked):
		return newProblem("key_revoked", "the key is revoked, for good; make another one")
	case errors.Is(err, access.ErrNotCovered):
		return newProblem("outside_pattern", "the key would reach logs that yours does not, or has the scope operator, "+
			"which yours has not; nothing was done")
	}
	return nil
}
