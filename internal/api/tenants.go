package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/limits"
)

// maxAccessBytes bounds the body of a request about tenants, keys and tokens.
const maxAccessBytes = 32 << 10

// Tenant owns logs, views, patterns and keys, which no other tenant can tell from what does not exist.
type Tenant struct {
	TenantID    string     `json:"tenant_id" format:"uuid" doc:"The tenant's id."`
	Name        string     `json:"name" doc:"The tenant's name."`
	CreatedAt   time.Time  `json:"created_at" doc:"When it was made."`
	Suspended   bool       `json:"suspended" doc:"It appends nothing, and creates no logs; everything else goes on."`
	SuspendedAt *time.Time `json:"suspended_at,omitempty" doc:"Since when it is suspended; absent when it is not."`
	Limits      Limits     `json:"limits" doc:"Its own: of those that are absent, the server's defaults hold."`
}

func presentTenant(t access.Tenant) Tenant {
	return Tenant{
		TenantID: t.ID.String(), Name: t.Name, CreatedAt: t.CreatedAt.UTC(),
		Suspended: !t.SuspendedAt.IsZero(), SuspendedAt: presentTime(t.SuspendedAt),
		Limits: presentLimits(t.Limits),
	}
}

// TenantPath is the {tenant} of a path.
type TenantPath struct {
	Tenant string `path:"tenant" maxLength:"200" doc:"The tenant's name or id." example:"default"`
}

// CreateTenant is a tenant that is to be made.
type CreateTenant struct {
	Name   string     `json:"name" doc:"Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them." example:"acme"`
	Limits *OwnLimits `json:"limits,omitempty" doc:"Of its own, instead of the server's defaults."`
}

type createTenantInput struct {
	ActorHeader
	Body CreateTenant
}

// UpdateTenant says what becomes of a tenant. What is absent stays.
type UpdateTenant struct {
	Name      *string    `json:"name,omitempty" doc:"Another name."`
	Suspended *bool      `json:"suspended,omitempty" doc:"True suspends the tenant: its appends are refused with 403. False resumes it."`
	Limits    *OwnLimits `json:"limits,omitempty" doc:"All that it is to have of its own: of those that are absent in here, the server's defaults hold."`
}

type updateTenantInput struct {
	TenantPath
	ActorHeader
	Body UpdateTenant
}

type tenantOutput struct{ Body Tenant }

type listTenantsInput struct {
	PageCursor
	Limit int32 `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"The most of a page."`
}

// TenantPage is a page of tenants.
type TenantPage struct {
	Tenants    []Tenant `json:"tenants" nullable:"false" doc:"By name."`
	NextCursor string   `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last."`
}

type listTenantsOutput struct{ Body TenantPage }

func (s *server) registerTenants(api huma.API) {
	tags := []string{"access"}
	register(s, api, access.Operator, huma.Operation{
		OperationID: "create-tenant", Method: http.MethodPost, Path: "/tenants", Summary: "Make a tenant", Tags: tags,
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusConflict},
	}, s.createTenant)
	register(s, api, access.Operator, huma.Operation{
		OperationID: "list-tenants", Method: http.MethodGet, Path: "/tenants", Summary: "List tenants by name", Tags: tags,
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.listTenants)
	register(s, api, access.Operator, huma.Operation{
		OperationID: "get-tenant", Method: http.MethodGet, Path: "/tenants/{tenant}", Summary: "Get a tenant", Tags: tags,
		Errors: []int{http.StatusUnprocessableEntity},
	}, s.getTenant)
	register(s, api, access.Operator, huma.Operation{
		OperationID: "update-tenant", Method: http.MethodPatch, Path: "/tenants/{tenant}",
		Summary: "Rename, suspend, resume or limit a tenant", Tags: tags,
		Description:  "What is absent stays. It holds on every server within a second.",
		MaxBodyBytes: maxAccessBytes, Errors: []int{http.StatusConflict},
	}, s.updateTenant)
}

// operator is doer for what an operator does to a tenant, in whose record the key could be taken for one of its own.
func (s *server) operator(ctx context.Context, header ActorHeader) (access.Actor, error) {
	by, err := s.doer(ctx, header)
	if caller := requestOf(ctx).caller; caller.KeyID != "" && !caller.Elsewhere {
		by.Name += ", a key of " + caller.TenantName
	}
	return by, err
}

// doer returns who is recorded for a change of tenants and keys. The error is a *Problem.
func (s *server) doer(ctx context.Context, header ActorHeader) (access.Actor, error) {
	name, err := s.actor(ctx, header)
	return access.Actor{Name: name, KeyID: requestOf(ctx).caller.KeyID}, err
}

func (s *server) createTenant(ctx context.Context, in *createTenantInput) (*tenantOutput, error) {
	by, err := s.operator(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	own, err := in.Body.Limits.stored((*limits.Limits).Check)
	if err != nil {
		return nil, err
	}
	tenant, err := s.Access.CreateTenant(ctx, by, in.Body.Name, own)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &tenantOutput{presentTenant(tenant)}, nil
}

func (s *server) listTenants(ctx context.Context, in *listTenantsInput) (*listTenantsOutput, error) {
	tenants, err := s.Access.Tenants(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listTenantsOutput{}
	out.Body.Tenants = make([]Tenant, len(tenants))
	for i, tenant := range tenants {
		out.Body.Tenants[i] = presentTenant(tenant)
	}
	if len(tenants) == int(in.Limit) {
		out.Body.NextCursor = tenants[len(tenants)-1].Name
	}
	return out, nil
}

func (s *server) getTenant(ctx context.Context, in *TenantPath) (*tenantOutput, error) {
	tenant, err := s.Access.Tenant(ctx, in.Tenant)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return &tenantOutput{presentTenant(tenant)}, nil
}

func (s *server) updateTenant(ctx context.Context, in *updateTenantInput) (*tenantOutput, error) {
	by, err := s.operator(ctx, in.ActorHeader)
	if err != nil {
		return nil, err
	}
	own, err := in.Body.Limits.stored((*limits.Limits).Check)
	if err != nil {
		return nil, err
	}
	tenant, err := s.Access.UpdateTenant(ctx, by, in.Tenant, access.TenantChange{
		Name: in.Body.Name, Suspended: in.Body.Suspended, Limits: own,
	})
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	s.Gate.Refresh(ctx)
	return &tenantOutput{presentTenant(tenant)}, nil
}
