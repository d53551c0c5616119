// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * What an alert watches.
 */
public final class Alert extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("definition")
  private Json definition;

  @JsonProperty("name")
  private String name;

  @JsonProperty("spreading")
  private Boolean spreading;

  @JsonProperty("updated_at")
  private Instant updatedAt;

  @JsonProperty("updated_by")
  private String updatedBy;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public Alert() {}

  /**
   * When it was put first.
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
  public Alert createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * As it was put, an AlertDefinition whose figures are texts.
   *
   * @return the value
   */
  public Json getDefinition() {
    return definition;
  }

  /**
   * Sets {@code definition}.
   *
   * @param definition see {@link #getDefinition}; null leaves the member out
   * @return this
   */
  public Alert definition(Json definition) {
    this.definition = definition;
    return this;
  }

  /**
   * The alert's name.
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
  public Alert name(String name) {
    this.name = name;
    return this;
  }

  /**
   * Not every log that it covers has been evaluated since it was put.
   *
   * @return the value
   */
  public boolean isSpreading() {
    return spreading != null && spreading;
  }

  /**
   * Sets {@code spreading}.
   *
   * @param spreading see {@link #isSpreading}; null leaves the member out
   * @return this
   */
  public Alert spreading(Boolean spreading) {
    this.spreading = spreading;
    return this;
  }

  /**
   * When this version was put.
   *
   * @return the value
   */
  public Instant getUpdatedAt() {
    return updatedAt;
  }

  /**
   * Sets {@code updated_at}.
   *
   * @param updatedAt see {@link #getUpdatedAt}; null leaves the member out
   * @return this
   */
  public Alert updatedAt(Instant updatedAt) {
    this.updatedAt = updatedAt;
    return this;
  }

  /**
   * Who put this version: the key's name, and what Tally-Actor said.
   *
   * @return the value; null where it is absent
   */
  public String getUpdatedBy() {
    return updatedBy;
  }

  /**
   * Sets {@code updated_by}.
   *
   * @param updatedBy see {@link #getUpdatedBy}; null leaves the member out
   * @return this
   */
  public Alert updatedBy(String updatedBy) {
    this.updatedBy = updatedBy;
    return this;
  }

  /**
   * Grows with each change.
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
  public Alert version(Long version) {
    this.version = version;
    return this;
  }
}
