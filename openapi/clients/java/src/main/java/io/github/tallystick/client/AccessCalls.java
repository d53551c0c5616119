package io.github.tallystick.client;

import io.github.tallystick.client.model.Activity;
import io.github.tallystick.client.model.AuditEntry;
import io.github.tallystick.client.model.AuditPage;
import io.github.tallystick.client.model.Caller;
import io.github.tallystick.client.model.CreateKey;
import io.github.tallystick.client.model.CreateTenant;
import io.github.tallystick.client.model.CreateToken;
import io.github.tallystick.client.model.Health;
import io.github.tallystick.client.model.Key;
import io.github.tallystick.client.model.KeyPage;
import io.github.tallystick.client.model.CreatedKey;
import io.github.tallystick.client.model.Readiness;
import io.github.tallystick.client.model.RotateKey;
import io.github.tallystick.client.model.Tenant;
import io.github.tallystick.client.model.TenantPage;
import io.github.tallystick.client.model.Token;
import io.github.tallystick.client.model.UpdateTenant;

/** The operations on tenants, keys and tokens, and on the server itself. */
abstract class AccessCalls extends SourceCalls {
  AccessCalls(Transport transport) {
    super(transport);
  }

  /**
   * Creates a key of the tenant. Not repeated when the answer is lost.
   *
   * @param key what it is called, and what it may do
   * @param options who asks; may be null
   * @return the key, with its secret, which is shown this once
   */
  public CreatedKey createKey(CreateKey key, CallOptions options) {
    return transport.send(Call.once("POST", "keys").with(options).json(key), CreatedKey.class);
  }

  /**
   * Describes a key.
   *
   * @param key the key's id
   * @return the key, without its secret
   */
  public Key getKey(String key) {
    return transport.send(Call.get("keys", key), Key.class);
  }

  /**
   * Reads a page of the list of keys. See {@link #keys} for all of them.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public KeyPage listKeys(ListOptions options) {
    return transport.send(Call.get("keys").with(options), KeyPage.class);
  }

  /**
   * All keys of the tenant, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the keys
   */
  public Pages<Key> keys(ListOptions options) {
    return pages(
        options,
        o -> {
          KeyPage page = listKeys(o);
          return new Pages.Page<>(page.getKeys(), page.getNextCursor());
        });
  }

  /**
   * Revokes a key. Not repeated when the answer is lost.
   *
   * @param key the key's id
   * @param options who asks; may be null
   * @return the key
   */
  public Key revokeKey(String key, CallOptions options) {
    return transport.send(Call.once("DELETE", "keys", key).with(options), Key.class);
  }

  /**
   * Gives a key another secret. Not repeated when the answer is lost.
   *
   * @param key the key's id
   * @param rotation how long the former secret stays good
   * @param options who asks; may be null
   * @return the key, with its new secret, which is shown this once
   */
  public CreatedKey rotateKey(String key, RotateKey rotation, CallOptions options) {
    return transport.send(Call.once("POST", "keys", key, "rotate").with(options).json(rotation), CreatedKey.class);
  }

  /**
   * Makes a token for a product's customer. Not repeated when the answer is lost.
   *
   * @param token which logs and views, and for how long
   * @param options who asks; may be null
   * @return the token
   */
  public Token createToken(CreateToken token, CallOptions options) {
    return transport.send(Call.once("POST", "tokens").with(options).json(token), Token.class);
  }

  /**
   * What the client's key or token may do.
   *
   * @param options deadline and the like; may be null
   * @return its tenant, scopes and logs
   */
  public Caller getCaller(CallOptions options) {
    return transport.send(Call.get("caller").with(options), Caller.class);
  }

  /**
   * Creates a tenant; for operators. Not repeated when the answer is lost.
   *
   * @param tenant what it is called, and its limits
   * @param options who asks; may be null
   * @return the tenant
   */
  public Tenant createTenant(CreateTenant tenant, CallOptions options) {
    return transport.send(Call.once("POST", "tenants").with(options).json(tenant), Tenant.class);
  }

  /**
   * Describes a tenant.
   *
   * @param tenant the tenant's name
   * @return the tenant
   */
  public Tenant getTenant(String tenant) {
    return transport.send(Call.get("tenants", tenant), Tenant.class);
  }

  /**
   * Changes a tenant; for operators. Not repeated when the answer is lost.
   *
   * @param tenant the tenant's name
   * @param change what is to be changed
   * @param options who asks; may be null
   * @return the tenant
   */
  public Tenant updateTenant(String tenant, UpdateTenant change, CallOptions options) {
    return transport.send(Call.once("PATCH", "tenants", tenant).with(options).json(change), Tenant.class);
  }

  /**
   * Reads a page of the list of tenants; for operators. See {@link #tenants} for all of them.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public TenantPage listTenants(ListOptions options) {
    return transport.send(Call.get("tenants").with(options), TenantPage.class);
  }

  /**
   * All tenants, over all pages; for operators.
   *
   * @param options the size of pages; may be null
   * @return the tenants
   */
  public Pages<Tenant> tenants(ListOptions options) {
    return pages(
        options,
        o -> {
          TenantPage page = listTenants(o);
          return new Pages.Page<>(page.getTenants(), page.getNextCursor());
        });
  }

  /**
   * Reads a page of what was done with the tenant, its keys, tokens, analysts and sources, newest first. See {@link #auditLog} for all of
   * it.
   *
   * @param options the page's size and cursor; may be null
   * @return the page
   */
  public AuditPage listAuditLog(ListOptions options) {
    return transport.send(Call.get("audit-log").with(options), AuditPage.class);
  }

  /**
   * All that was done with the tenant, its keys, tokens, analysts and sources, newest first, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the entries
   */
  public Pages<AuditEntry> auditLog(ListOptions options) {
    return pages(
        options,
        o -> {
          AuditPage page = listAuditLog(o);
          return new Pages.Page<>(page.getEntries(), page.getNextCursor());
        });
  }

  /**
   * What happened in the tenant lately, on all servers, by intervals of five seconds. The key must be for all logs.
   *
   * @param options {@code query("minutes", …)}, 1 to 60, 15 when absent; may be null
   * @return what was appended and refused, and how views, alerts and webhooks stand
   */
  public Activity getActivity(CallOptions options) {
    return transport.send(Call.get("activity").with(options), Activity.class);
  }

  /**
   * Asks whether the server is alive.
   *
   * @return its status
   */
  public Health health() {
    return transport.send(Call.get("healthz"), Health.class);
  }

  /**
   * Asks whether the server reaches its database and can store events there.
   *
   * @return its status, and warnings for operators
   * @throws TallyException {@code not_ready} where it cannot
   */
  public Readiness ready() {
    return transport.send(Call.get("readyz"), Readiness.class);
  }
}
