// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * Something that was done with tenants, keys, tokens, sources or analysts.
 */
public final class AuditEntry extends Model {
  @JsonProperty("action")
  private String action;

  @JsonProperty("actor")
  private String actor;

  @JsonProperty("at")
  private Instant at;

  @JsonProperty("detail")
  private Json detail;

  @JsonProperty("entry_id")
  private Long entryId;

  @JsonProperty("key_id")
  private String keyId;

  @JsonProperty("target")
  private String target;

  /** Makes one without members. */
  public AuditEntry() {}

  /**
   * What was done.
   *
   * @return the value
   */
  public String getAction() {
    return action;
  }

  /**
   * Sets {@code action}.
   *
   * @param action see {@link #getAction}; null leaves the member out
   * @return this
   */
  public AuditEntry action(String action) {
    this.action = action;
    return this;
  }

  /**
   * The name of the key by which it was done, and what Tally-Actor said; or the login of a command that asks the database itself.
   *
   * @return the value
   */
  public String getActor() {
    return actor;
  }

  /**
   * Sets {@code actor}.
   *
   * @param actor see {@link #getActor}; null leaves the member out
   * @return this
   */
  public AuditEntry actor(String actor) {
    this.actor = actor;
    return this;
  }

  /**
   * When.
   *
   * @return the value
   */
  public Instant getAt() {
    return at;
  }

  /**
   * Sets {@code at}.
   *
   * @param at see {@link #getAt}; null leaves the member out
   * @return this
   */
  public AuditEntry at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * What else there is to know; never a secret.
   *
   * @return the value
   */
  public Json getDetail() {
    return detail;
  }

  /**
   * Sets {@code detail}.
   *
   * @param detail see {@link #getDetail}; null leaves the member out
   * @return this
   */
  public AuditEntry detail(Json detail) {
    this.detail = detail;
    return this;
  }

  /**
   * Grows with each entry.
   *
   * @return the value
   */
  public long getEntryId() {
    return entryId == null ? 0 : entryId;
  }

  /**
   * Sets {@code entry_id}.
   *
   * @param entryId see {@link #getEntryId}; null leaves the member out
   * @return this
   */
  public AuditEntry entryId(Long entryId) {
    this.entryId = entryId;
    return this;
  }

  /**
   * That key's id.
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
  public AuditEntry keyId(String keyId) {
    this.keyId = keyId;
    return this;
  }

  /**
   * The name of what it was done to.
   *
   * @return the value
   */
  public String getTarget() {
    return target;
  }

  /**
   * Sets {@code target}.
   *
   * @param target see {@link #getTarget}; null leaves the member out
   * @return this
   */
  public AuditEntry target(String target) {
    this.target = target;
    return this;
  }
}
