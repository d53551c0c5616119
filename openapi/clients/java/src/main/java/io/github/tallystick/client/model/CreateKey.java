// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * A key that is to be made.
 */
public final class CreateKey extends Model {
  @JsonProperty("expires_at")
  private Instant expiresAt;

  @JsonProperty("limits")
  private OwnLimits limits;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("name")
  private String name;

  @JsonProperty("scopes")
  private List<String> scopes;

  /** Makes one without members. */
  public CreateKey() {}

  /**
   * Never when absent.
   *
   * @return the value; null where it is absent
   */
  public Instant getExpiresAt() {
    return expiresAt;
  }

  /**
   * Sets {@code expires_at}.
   *
   * @param expiresAt see {@link #getExpiresAt}; null leaves the member out
   * @return this
   */
  public CreateKey expiresAt(Instant expiresAt) {
    this.expiresAt = expiresAt;
    return this;
  }

  /**
   * Of its own, beside those of its tenant: requests, events and bytes a second, and streams.
   *
   * @return the value; null where it is absent
   */
  public OwnLimits getLimits() {
    return limits;
  }

  /**
   * Sets {@code limits}.
   *
   * @param limits see {@link #getLimits}; null leaves the member out
   * @return this
   */
  public CreateKey limits(OwnLimits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * The pattern of the names of logs that there are for the key; all when absent.
   *
   * @return the value; null where it is absent
   */
  public String getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public CreateKey logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * Unique among the tenant's keys that are not revoked; letters, digits and . _ : @ + = ~ -.
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
  public CreateKey name(String name) {
    this.name = name;
    return this;
  }

  /**
   * What the key may do: append, read, query, deploy, admin, operator.
   *
   * @return the value
   */
  public List<String> getScopes() {
    return scopes;
  }

  /**
   * Sets {@code scopes}.
   *
   * @param scopes see {@link #getScopes}; null leaves the member out
   * @return this
   */
  public CreateKey scopes(List<String> scopes) {
    this.scopes = scopes;
    return this;
  }
}
