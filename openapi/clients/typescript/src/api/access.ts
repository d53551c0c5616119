import { type CallOptions, parametersOf } from "../options.js";
import type { Answer, Input, Parameters } from "../types.js";
import { json } from "./logs.js";
import { SourceCalls } from "./sources.js";

/** Operations on keys, tokens, tenants and the audit log, and the server's health. */
export abstract class AccessCalls extends SourceCalls {
  /** Makes a key; its text is in this answer alone. Never sent again by itself. */
  createKey(key: Input<"create-key">, options: CallOptions = {}): Promise<Answer<"create-key">> {
    return this.json({ method: "POST", path: ["keys"], ...json(key), safe: false, options });
  }

  /** A key, without its secret. */
  getKey(key: string, options: CallOptions = {}): Promise<Answer<"get-key">> {
    return this.json({ method: "GET", path: ["keys", key], safe: true, options });
  }

  /** A page of keys, by id, revoked ones too. All of them: {@link Tally.keys}. */
  listKeys(options: Parameters<"list-keys"> & CallOptions = {}): Promise<Answer<"list-keys">> {
    return this.json({ method: "GET", path: ["keys"], query: parametersOf(options), safe: true, options });
  }

  /** Gives a key another secret; its text is in this answer alone. Never sent again by itself. */
  rotateKey(key: string, body: Input<"rotate-key"> = {}, options: CallOptions = {}): Promise<Answer<"rotate-key">> {
    return this.json({ method: "POST", path: ["keys", key, "rotate"], ...json(body), safe: false, options });
  }

  /** Revokes a key for good, and answers what it was. Never sent again by itself. */
  revokeKey(key: string, options: CallOptions = {}): Promise<Answer<"revoke-key">> {
    return this.json({ method: "DELETE", path: ["keys", key], safe: false, options });
  }

  /** Makes a token: a short right of a product's customer to read or query named logs. Never sent again by itself. */
  createToken(token: Input<"create-token">, options: CallOptions = {}): Promise<Answer<"create-token">> {
    return this.json({ method: "POST", path: ["tokens"], ...json(token), safe: false, options });
  }

  /** Who asks: the tenant, the scopes and the logs of the client's key or token. */
  getCaller(options: CallOptions = {}): Promise<Answer<"get-caller">> {
    return this.json({ method: "GET", path: ["caller"], safe: true, options });
  }

  /** Makes a tenant, without any key; for operators. Never sent again by itself. */
  createTenant(tenant: Input<"create-tenant">, options: CallOptions = {}): Promise<Answer<"create-tenant">> {
    return this.json({ method: "POST", path: ["tenants"], ...json(tenant), safe: false, options });
  }

  /** A tenant, by name or id. */
  getTenant(tenant: string, options: CallOptions = {}): Promise<Answer<"get-tenant">> {
    return this.json({ method: "GET", path: ["tenants", tenant], safe: true, options });
  }

  /** A page of tenants, by name. All of them: {@link Tally.tenants}. */
  listTenants(options: Parameters<"list-tenants"> & CallOptions = {}): Promise<Answer<"list-tenants">> {
    return this.json({ method: "GET", path: ["tenants"], query: parametersOf(options), safe: true, options });
  }

  /** Renames, suspends or resumes a tenant, or limits it; what is absent stays. Never sent again by itself. */
  updateTenant(
    tenant: string,
    change: Input<"update-tenant">,
    options: CallOptions = {},
  ): Promise<Answer<"update-tenant">> {
    return this.json({ method: "PATCH", path: ["tenants", tenant], ...json(change), safe: false, options });
  }

  /** A page of what was done in the tenant, newest first. All of it: {@link Tally.auditLog}. */
  listAuditLog(options: Parameters<"list-audit-log"> & CallOptions = {}): Promise<Answer<"list-audit-log">> {
    return this.json({ method: "GET", path: ["audit-log"], query: parametersOf(options), safe: true, options });
  }

  /** What happened lately in the tenant, on all servers, for a chart that moves: by intervals of five seconds. For a key for all logs. */
  getActivity(options: Parameters<"get-activity"> & CallOptions = {}): Promise<Answer<"get-activity">> {
    return this.json({ method: "GET", path: ["activity"], query: parametersOf(options), safe: true, options });
  }

  /** Whether the process is alive. */
  health(options: CallOptions = {}): Promise<Answer<"health">> {
    return this.json({ method: "GET", path: ["healthz"], safe: true, options });
  }

  /** Whether the server can store events; else the error's code is `not_ready`. */
  ready(options: CallOptions = {}): Promise<Answer<"ready">> {
    return this.json({ method: "GET", path: ["readyz"], safe: true, options });
  }
}
