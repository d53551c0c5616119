// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * An alert in a list.
 */
public final class ListedAlert extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("definition")
  private Json definition;

  @JsonProperty("failing")
  private Boolean failing;

  @JsonProperty("firing")
  private Boolean firing;

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
  public ListedAlert() {}

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
  public ListedAlert createdAt(Instant createdAt) {
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
  public ListedAlert definition(Json definition) {
    this.definition = definition;
    return this;
  }

  /**
   * The last evaluation had no value, on at least one log.
   *
   * @return the value
   */
  public boolean isFailing() {
    return failing != null && failing;
  }

  /**
   * Sets {@code failing}.
   *
   * @param failing see {@link #isFailing}; null leaves the member out
   * @return this
   */
  public ListedAlert failing(Boolean failing) {
    this.failing = failing;
    return this;
  }

  /**
   * A threshold is firing, on at least one log.
   *
   * @return the value
   */
  public boolean isFiring() {
    return firing != null && firing;
  }

  /**
   * Sets {@code firing}.
   *
   * @param firing see {@link #isFiring}; null leaves the member out
   * @return this
   */
  public ListedAlert firing(Boolean firing) {
    this.firing = firing;
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
  public ListedAlert name(String name) {
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
  public ListedAlert spreading(Boolean spreading) {
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
  public ListedAlert updatedAt(Instant updatedAt) {
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
  public ListedAlert updatedBy(String updatedBy) {
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
  public ListedAlert version(Long version) {
    this.version = version;
    return this;
  }
}
