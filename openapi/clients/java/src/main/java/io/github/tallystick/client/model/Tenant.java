// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * A tenant: it owns logs, views, patterns and keys, which no other tenant can tell from what does not exist.
 */
public final class Tenant extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("limits")
  private Limits limits;

  @JsonProperty("name")
  private String name;

  @JsonProperty("suspended")
  private Boolean suspended;

  @JsonProperty("suspended_at")
  private Instant suspendedAt;

  @JsonProperty("tenant_id")
  private String tenantId;

  /** Makes one without members. */
  public Tenant() {}

  /**
   * When it was made.
   *
   * @return the value
   */
  public Instant getCreatedAt() {
    return createdAt;
  }

  /**
   * Sets {@code created_at}.
   *
   * @param createdAt see {@link #getCreatedAt}; null leaves the member out
   * @return this
   */
  public Tenant createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * Its own: of those that are absent, the server's defaults hold.
   *
   * @return the value
   */
  public Limits getLimits() {
    return limits;
  }

  /**
   * Sets {@code limits}.
   *
   * @param limits see {@link #getLimits}; null leaves the member out
   * @return this
   */
  public Tenant limits(Limits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * The tenant's name.
   *
   * @return the value
   */
  public String getName() {
    return name;
  }

  /**
   * Sets {@code name}.
   *
   * @param name see {@link #getName}; null leaves the member out
   * @return this
   */
  public Tenant name(String name) {
    this.name = name;
    return this;
  }

  /**
   * It appends nothing, and creates no logs; everything else goes on.
   *
   * @return the value
   */
  public boolean isSuspended() {
    return suspended != null && suspended;
  }

  /**
   * Sets {@code suspended}.
   *
   * @param suspended see {@link #isSuspended}; null leaves the member out
   * @return this
   */
  public Tenant suspended(Boolean suspended) {
    this.suspended = suspended;
    return this;
  }

  /**
   * Since when it is suspended; absent when it is not.
   *
   * @return the value; null where it is absent
   */
  public Instant getSuspendedAt() {
    return suspendedAt;
  }

  /**
   * Sets {@code suspended_at}.
   *
   * @param suspendedAt see {@link #getSuspendedAt}; null leaves the member out
   * @return this
   */
  public Tenant suspendedAt(Instant suspendedAt) {
    this.suspendedAt = suspendedAt;
    return this;
  }

  /**
   * The tenant's id.
   *
   * @return the value
   */
  public String getTenantId() {
    return tenantId;
  }

  /**
   * Sets {@code tenant_id}.
   *
   * @param tenantId see {@link #getTenantId}; null leaves the member out
   * @return this
   */
  public Tenant tenantId(String tenantId) {
    this.tenantId = tenantId;
    return this;
  }
}
