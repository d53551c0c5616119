// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;
import java.util.List;

/**
 * An alert with how it stands.
 */
public final class AlertStatus extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("definition")
  private Json definition;

  @JsonProperty("failing_logs")
  private Long failingLogs;

  @JsonProperty("firing_logs")
  private Long firingLogs;

  @JsonProperty("logs")
  private List<AlertLog> logs;

  @JsonProperty("name")
  private String name;

  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("spreading")
  private Boolean spreading;

  @JsonProperty("updated_at")
  private Instant updatedAt;

  @JsonProperty("updated_by")
  private String updatedBy;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public AlertStatus() {}

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
  public AlertStatus createdAt(Instant createdAt) {
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
  public AlertStatus definition(Json definition) {
    this.definition = definition;
    return this;
  }

  /**
   * On how many logs the last evaluation had no value, up to 10,000.
   *
   * @return the value
   */
  public long getFailingLogs() {
    return failingLogs == null ? 0 : failingLogs;
  }

  /**
   * Sets {@code failing_logs}.
   *
   * @param failingLogs see {@link #getFailingLogs}; null leaves the member out
   * @return this
   */
  public AlertStatus failingLogs(Long failingLogs) {
    this.failingLogs = failingLogs;
    return this;
  }

  /**
   * On how many logs a threshold is firing, up to 10,000.
   *
   * @return the value
   */
  public long getFiringLogs() {
    return firingLogs == null ? 0 : firingLogs;
  }

  /**
   * Sets {@code firing_logs}.
   *
   * @param firingLogs see {@link #getFiringLogs}; null leaves the member out
   * @return this
   */
  public AlertStatus firingLogs(Long firingLogs) {
    this.firingLogs = firingLogs;
    return this;
  }

  /**
   * How it stands on a page of the logs where it was evaluated, in the order in which they were made.
   *
   * @return the value
   */
  public List<AlertLog> getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public AlertStatus logs(List<AlertLog> logs) {
    this.logs = logs;
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
  public AlertStatus name(String name) {
    this.name = name;
    return this;
  }

  /**
   * Give it as cursor to get the next page; absent on the last.
   *
   * @return the value; null where it is absent
   */
  public String getNextCursor() {
    return nextCursor;
  }

  /**
   * Sets {@code next_cursor}.
   *
   * @param nextCursor see {@link #getNextCursor}; null leaves the member out
   * @return this
   */
  public AlertStatus nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
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
  public AlertStatus spreading(Boolean spreading) {
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
  public AlertStatus updatedAt(Instant updatedAt) {
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
  public AlertStatus updatedBy(String updatedBy) {
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
  public AlertStatus version(Long version) {
    this.version = version;
    return this;
  }
}
