// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * Who asks, and what it may do.
 */
public final class Caller extends Model {
  @JsonProperty("expires_at")
  private Instant expiresAt;

  @JsonProperty("key_id")
  private String keyId;

  @JsonProperty("key_name")
  private String keyName;

  @JsonProperty("keys")
  private Boolean keys;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("scopes")
  private List<String> scopes;

  @JsonProperty("suspended")
  private Boolean suspended;

  @JsonProperty("tenant")
  private String tenant;

  @JsonProperty("token")
  private TokenGrant token;

  /** Makes one without members. */
  public Caller() {}

  /**
   * When the key or token ends; never when absent.
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
  public Caller expiresAt(Instant expiresAt) {
    this.expiresAt = expiresAt;
    return this;
  }

  /**
   * The key's id, or that of the key with which the token was made.
   *
   * @return the value; null where it is absent
   */
  public String getKeyId() {
    return keyId;
  }

  /**
   * Sets {@code key_id}.
   *
   * @param keyId see {@link #getKeyId}; null leaves the member out
   * @return this
   */
  public Caller keyId(String keyId) {
    this.keyId = keyId;
    return this;
  }

  /**
   * That key's name.
   *
   * @return the value; null where it is absent
   */
  public String getKeyName() {
    return keyName;
  }

  /**
   * Sets {@code key_name}.
   *
   * @param keyName see {@link #getKeyName}; null leaves the member out
   * @return this
   */
  public Caller keyName(String keyName) {
    this.keyName = keyName;
    return this;
  }

  /**
   * Whether this server asks for keys; without, everybody may do everything.
   *
   * @return the value
   */
  public boolean isKeys() {
    return keys != null && keys;
  }

  /**
   * Sets {@code keys}.
   *
   * @param keys see {@link #isKeys}; null leaves the member out
   * @return this
   */
  public Caller keys(Boolean keys) {
    this.keys = keys;
    return this;
  }

  /**
   * The pattern of the logs that there are for it.
   *
   * @return the value
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
  public Caller logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * What the key or token may do.
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
  public Caller scopes(List<String> scopes) {
    this.scopes = scopes;
    return this;
  }

  /**
   * True while the tenant appends nothing.
   *
   * @return the value; false where it is absent
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
  public Caller suspended(Boolean suspended) {
    this.suspended = suspended;
    return this;
  }

  /**
   * The tenant that requests act in.
   *
   * @return the value
   */
  public String getTenant() {
    return tenant;
  }

  /**
   * Sets {@code tenant}.
   *
   * @param tenant see {@link #getTenant}; null leaves the member out
   * @return this
   */
  public Caller tenant(String tenant) {
    this.tenant = tenant;
    return this;
  }

  /**
   * What the token is for, where it is one.
   *
   * @return the value; null where it is absent
   */
  public TokenGrant getToken() {
    return token;
  }

  /**
   * Sets {@code token}.
   *
   * @param token see {@link #getToken}; null leaves the member out
   * @return this
   */
  public Caller token(TokenGrant token) {
    this.token = token;
    return this;
  }
}
