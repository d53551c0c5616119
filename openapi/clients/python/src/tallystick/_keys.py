"""Keys, tokens, tenants, and the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._calls import Call, Flow, Request, Retry, as_object, headers, path, query
from ._json import encode
from ._logs import JSON_BODY
from ._operation import iteration, operation
from ._pages import pages

if TYPE_CHECKING:
    from ._types import (
        AuditEntry,
        AuditPage,
        Caller,
        CreatedKey,
        CreateKey,
        CreateTenant,
        CreateToken,
        Key,
        KeyPage,
        RotateKey,
        Tenant,
        TenantPage,
        Token,
        UpdateTenant,
    )


def _change(method: str, where: str, body: Mapping[str, Any] | None, actor: str | None) -> Call[Any]:
    named = headers({**(JSON_BODY if body is not None else {}), "Tally-Actor": actor})
    request = Request(method, where, "", named, None if body is None else encode(dict(body)))
    return Call(request, as_object(), Retry.REFUSED)


class Keys:
    @operation
    def create_key(self, body: CreateKey, *, actor: str | None = None) -> Call[CreatedKey]:
        """Makes a key: ``{"name": …, "scopes": ["append"], "logs": "customer-*"}``. ``key`` of the result is its only showing."""
        return _change("POST", "/keys", body, actor)

    @operation
    def get_key(self, key: str) -> Call[Key]:
        """Returns a key by its id, without its secret."""
        return Call(Request("GET", path("keys", key)), as_object(), Retry.SAFE)

    @operation
    def list_keys(self, *, limit: int | None = None, cursor: str | None = None) -> Call[KeyPage]:
        """Returns a page of keys by id: 100, or limit, at most 1,000. keys() goes through all pages."""
        return Call(Request("GET", "/keys", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def keys(self, *, limit: int | None = None) -> Flow[Key]:
        """Iterates over all keys by id, also revoked and expired ones; limit is that of a page."""
        return pages(self, "keys", lambda cursor: Keys.list_keys.call(limit=limit, cursor=cursor))

    @operation
    def rotate_key(self, key: str, body: RotateKey | None = None, *, actor: str | None = None) -> Call[CreatedKey]:
        """Gives a key another secret; the one from before stays good for an hour, or ``{"former_valid_seconds": 0}``."""
        return _change("POST", path("keys", key, "rotate"), body or {}, actor)

    @operation
    def revoke_key(self, key: str, *, actor: str | None = None) -> Call[Key]:
        """Revokes a key for good."""
        return _change("DELETE", path("keys", key), None, actor)

    @operation
    def create_token(self, body: CreateToken, *, actor: str | None = None) -> Call[Token]:
        """Makes a token for a product's customer: ``{"scopes": ["query"], "logs": ["customer-4711"]}``; good for 900 seconds
        unless ``seconds`` says otherwise, 24 hours at most."""
        return _change("POST", "/tokens", body, actor)

    @operation
    def get_caller(self) -> Call[Caller]:
        """Returns what the client's key or token may do: its tenant, scopes and logs."""
        return Call(Request("GET", "/caller"), as_object(), Retry.SAFE)

    @operation
    def create_tenant(self, body: CreateTenant, *, actor: str | None = None) -> Call[Tenant]:
        """Makes a tenant, for operators: ``{"name": …}``."""
        return _change("POST", "/tenants", body, actor)

    @operation
    def get_tenant(self, tenant: str) -> Call[Tenant]:
        """Returns a tenant by its name or id."""
        return Call(Request("GET", path("tenants", tenant)), as_object(), Retry.SAFE)

    @operation
    def update_tenant(self, tenant: str, body: UpdateTenant, *, actor: str | None = None) -> Call[Tenant]:
        """Renames, suspends, resumes or limits a tenant; what is absent in body stays."""
        return _change("PATCH", path("tenants", tenant), body, actor)

    @operation
    def list_tenants(self, *, limit: int | None = None, cursor: str | None = None) -> Call[TenantPage]:
        """Returns a page of tenants by name: 100, or limit, at most 1,000. tenants() goes through all pages."""
        return Call(Request("GET", "/tenants", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def tenants(self, *, limit: int | None = None) -> Flow[Tenant]:
        """Iterates over all tenants by name; limit is that of a page."""
        return pages(self, "tenants", lambda cursor: Keys.list_tenants.call(limit=limit, cursor=cursor))

    @operation
    def list_audit_log(self, *, limit: int | None = None, cursor: str | None = None) -> Call[AuditPage]:
        """Returns a page of what was done in the tenant, newest first: 100, or limit, at most 1,000."""
        return Call(Request("GET", "/audit-log", query({"limit": limit, "cursor": cursor})), as_object(), Retry.SAFE)

    @iteration
    def audit_log(self, *, limit: int | None = None) -> Flow[AuditEntry]:
        """Iterates over all that was done in the tenant, newest first; limit is that of a page."""
        return pages(self, "entries", lambda cursor: Keys.list_audit_log.call(limit=limit, cursor=cursor))
