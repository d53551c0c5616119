// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * What a source is told to do.
 */
public final class Source extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("created_by")
  private String createdBy;

  @JsonProperty("mapping")
  private Json mapping;

  @JsonProperty("name")
  private String name;

  @JsonProperty("resolved")
  private Json resolved;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public Source() {}

  /**
   * When this version was put; absent in version 0.
   *
   * @return the value; null where it is absent
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
  public Source createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * The key's name, and what Tally-Actor said.
   *
   * @return the value; null where it is absent
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
  public Source createdBy(String createdBy) {
    this.createdBy = createdBy;
    return this;
  }

  /**
   * As it was sent, without white space; absent in the version by which the source was deleted.
   *
   * @return the value; null where it is absent
   */
  public Json getMapping() {
    return mapping;
  }

  /**
   * Sets {@code mapping}.
   *
   * @param mapping see {@link #getMapping}; null leaves the member out
   * @return this
   */
  public Source mapping(Json mapping) {
    this.mapping = mapping;
    return this;
  }

  /**
   * The source's name.
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
  public Source name(String name) {
    this.name = name;
    return this;
  }

  /**
   * The mapping that holds: with the ready one that it names written out, as that was when this version was put.
   *
   * @return the value; null where it is absent
   */
  public Json getResolved() {
    return resolved;
  }

  /**
   * Sets {@code resolved}.
   *
   * @param resolved see {@link #getResolved}; null leaves the member out
   * @return this
   */
  public Source resolved(Json resolved) {
    this.resolved = resolved;
    return this;
  }

  /**
   * Grows with each change. 0: the source default, as it is before anybody has put it.
   *
   * @return the value
   */
  public long getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public Source version(Long version) {
    this.version = version;
    return this;
  }
}
