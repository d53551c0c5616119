// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.Map;

/**
 * A log and its head.
 */
public final class Log extends Model {
  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("hash")
  private String hash;

  @JsonProperty("labels")
  private Map<String, String> labels;

  @JsonProperty("log_id")
  private String logId;

  @JsonProperty("name")
  private String name;

  @JsonProperty("recorded_at")
  private Instant recordedAt;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public Log() {}

  /**
   * When it was created.
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
  public Log createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * The hash of everything up to that event, in hexadecimal.
   *
   * @return the value
   */
  public String getHash() {
    return hash;
  }

  /**
   * Sets {@code hash}.
   *
   * @param hash see {@link #getHash}; null leaves the member out
   * @return this
   */
  public Log hash(String hash) {
    this.hash = hash;
    return this;
  }

  /**
   * What it was given at its creation.
   *
   * @return the value
   */
  public Map<String, String> getLabels() {
    return labels;
  }

  /**
   * Sets {@code labels}.
   *
   * @param labels see {@link #getLabels}; null leaves the member out
   * @return this
   */
  public Log labels(Map<String, String> labels) {
    this.labels = labels;
    return this;
  }

  /**
   * The log's id.
   *
   * @return the value
   */
  public String getLogId() {
    return logId;
  }

  /**
   * Sets {@code log_id}.
   *
   * @param logId see {@link #getLogId}; null leaves the member out
   * @return this
   */
  public Log logId(String logId) {
    this.logId = logId;
    return this;
  }

  /**
   * The log's name.
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
  public Log name(String name) {
    this.name = name;
    return this;
  }

  /**
   * When the last event was recorded; when the log was created, for an empty one.
   *
   * @return the value
   */
  public Instant getRecordedAt() {
    return recordedAt;
  }

  /**
   * Sets {@code recorded_at}.
   *
   * @param recordedAt see {@link #getRecordedAt}; null leaves the member out
   * @return this
   */
  public Log recordedAt(Instant recordedAt) {
    this.recordedAt = recordedAt;
    return this;
  }

  /**
   * The last event's sequence; 0 for an empty log.
   *
   * @return the value
   */
  public long getSequence() {
    return sequence == null ? 0 : sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public Log sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
