// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * A key with its secret.
 */
public final class CreatedKey extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("created_by")
  private String createdBy;

  @JsonProperty("expires_at")
  private Instant expiresAt;

  @JsonProperty("former_until")
  private Instant formerUntil;

  @JsonProperty("key")
  private String key;

  @JsonProperty("key_id")
  private String keyId;

  @JsonProperty("last_used_at")
  private Instant lastUsedAt;

  @JsonProperty("limits")
  private Limits limits;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("name")
  private String name;

  @JsonProperty("revoked_at")
  private Instant revokedAt;

  @JsonProperty("rotated_at")
  private Instant rotatedAt;

  @JsonProperty("scopes")
  private List<String> scopes;

  /** Makes one without members. */
  public CreatedKey() {}

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
  public CreatedKey createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * The name of the key that made it.
   *
   * @return the value
   */
  public String getCreatedBy() {
    return createdBy;
  }

  /**
   * Sets {@code created_by}.
   *
   * @param createdBy see {@link #getCreatedBy}; null leaves the member out
   * @return this
   */
  public CreatedKey createdBy(String createdBy) {
    this.createdBy = createdBy;
    return this;
  }

  /**
   * Absent when it never expires.
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
  public CreatedKey expiresAt(Instant expiresAt) {
    this.expiresAt = expiresAt;
    return this;
  }

  /**
   * Until when the secret from before that is good.
   *
   * @return the value; null where it is absent
   */
  public Instant getFormerUntil() {
    return formerUntil;
  }

  /**
   * Sets {@code former_until}.
   *
   * @param formerUntil see {@link #getFormerUntil}; null leaves the member out
   * @return this
   */
  public CreatedKey formerUntil(Instant formerUntil) {
    this.formerUntil = formerUntil;
    return this;
  }

  /**
   * The key. It is shown this once: the server keeps its SHA-256 only.
   *
   * @return the value
   */
  public String getKey() {
    return key;
  }

  /**
   * Sets {@code key}.
   *
   * @param key see {@link #getKey}; null leaves the member out
   * @return this
   */
  public CreatedKey key(String key) {
    this.key = key;
    return this;
  }

  /**
   * It is part of the key, and no secret.
   *
   * @return the value
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
  public CreatedKey keyId(String keyId) {
    this.keyId = keyId;
    return this;
  }

  /**
   * To the minute; absent when it never was.
   *
   * @return the value; null where it is absent
   */
  public Instant getLastUsedAt() {
    return lastUsedAt;
  }

  /**
   * Sets {@code last_used_at}.
   *
   * @param lastUsedAt see {@link #getLastUsedAt}; null leaves the member out
   * @return this
   */
  public CreatedKey lastUsedAt(Instant lastUsedAt) {
    this.lastUsedAt = lastUsedAt;
    return this;
  }

  /**
   * Its own, beside those of its tenant: of those that are absent, it has none.
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
  public CreatedKey limits(Limits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * The pattern of the names of logs that there are for the key.
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
  public CreatedKey logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * It is recorded with what is done by the key.
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
  public CreatedKey name(String name) {
    this.name = name;
    return this;
  }

  /**
   * When it was revoked; absent when it was not.
   *
   * @return the value; null where it is absent
   */
  public Instant getRevokedAt() {
    return revokedAt;
  }

  /**
   * Sets {@code revoked_at}.
   *
   * @param revokedAt see {@link #getRevokedAt}; null leaves the member out
   * @return this
   */
  public CreatedKey revokedAt(Instant revokedAt) {
    this.revokedAt = revokedAt;
    return this;
  }

  /**
   * When it got its present secret; absent when that is its first.
   *
   * @return the value; null where it is absent
   */
  public Instant getRotatedAt() {
    return rotatedAt;
  }

  /**
   * Sets {@code rotated_at}.
   *
   * @param rotatedAt see {@link #getRotatedAt}; null leaves the member out
   * @return this
   */
  public CreatedKey rotatedAt(Instant rotatedAt) {
    this.rotatedAt = rotatedAt;
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
  public CreatedKey scopes(List<String> scopes) {
    this.scopes = scopes;
    return this;
  }
}
