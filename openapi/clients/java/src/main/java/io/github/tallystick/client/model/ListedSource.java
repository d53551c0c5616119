// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * A source in a list.
 */
public final class ListedSource extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("created_by")
  private String createdBy;

  @JsonProperty("deleted")
  private Boolean deleted;

  @JsonProperty("name")
  private String name;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public ListedSource() {}

  /**
   * When this version was put.
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
  public ListedSource createdAt(Instant createdAt) {
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
  public ListedSource createdBy(String createdBy) {
    this.createdBy = createdBy;
    return this;
  }

  /**
   * The source was deleted by this version.
   *
   * @return the value; false where it is absent
   */
  public boolean isDeleted() {
    return deleted != null && deleted;
  }

  /**
   * Sets {@code deleted}.
   *
   * @param deleted see {@link #isDeleted}; null leaves the member out
   * @return this
   */
  public ListedSource deleted(Boolean deleted) {
    this.deleted = deleted;
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
  public ListedSource name(String name) {
    this.name = name;
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
  public ListedSource version(Long version) {
    this.version = version;
    return this;
  }
}
