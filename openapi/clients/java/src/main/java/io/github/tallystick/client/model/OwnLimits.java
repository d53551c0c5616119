// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Limits that a tenant or a key is to have.
 */
public final class OwnLimits extends Model {
  @JsonProperty("bytes_per_second")
  private Long bytesPerSecond;

  @JsonProperty("events_per_second")
  private Long eventsPerSecond;

  @JsonProperty("logs")
  private Long logs;

  @JsonProperty("patterns")
  private Long patterns;

  @JsonProperty("requests_per_second")
  private Long requestsPerSecond;

  @JsonProperty("state_bytes")
  private Long stateBytes;

  @JsonProperty("streams")
  private Long streams;

  @JsonProperty("views")
  private Long views;

  /** Makes one without members. */
  public OwnLimits() {}

  /**
   * Of request bodies.
   *
   * @return the value; null where it is absent
   */
  public Long getBytesPerSecond() {
    return bytesPerSecond;
  }

  /**
   * Sets {@code bytes_per_second}.
   *
   * @param bytesPerSecond see {@link #getBytesPerSecond}; null leaves the member out
   * @return this
   */
  public OwnLimits bytesPerSecond(Long bytesPerSecond) {
    this.bytesPerSecond = bytesPerSecond;
    return this;
  }

  /**
   * Appended, duplicates included.
   *
   * @return the value; null where it is absent
   */
  public Long getEventsPerSecond() {
    return eventsPerSecond;
  }

  /**
   * Sets {@code events_per_second}.
   *
   * @param eventsPerSecond see {@link #getEventsPerSecond}; null leaves the member out
   * @return this
   */
  public OwnLimits eventsPerSecond(Long eventsPerSecond) {
    this.eventsPerSecond = eventsPerSecond;
    return this;
  }

  /**
   * Of tenants only, as those that follow.
   *
   * @return the value; null where it is absent
   */
  public Long getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public OwnLimits logs(Long logs) {
    this.logs = logs;
    return this;
  }

  /**
   * Views on patterns of logs, without those that are retired.
   *
   * @return the value; null where it is absent
   */
  public Long getPatterns() {
    return patterns;
  }

  /**
   * Sets {@code patterns}.
   *
   * @param patterns see {@link #getPatterns}; null leaves the member out
   * @return this
   */
  public OwnLimits patterns(Long patterns) {
    this.patterns = patterns;
    return this;
  }

  /**
   * Of all kinds. 0 is no limit, here and in the others.
   *
   * @return the value; null where it is absent
   */
  public Long getRequestsPerSecond() {
    return requestsPerSecond;
  }

  /**
   * Sets {@code requests_per_second}.
   *
   * @param requestsPerSecond see {@link #getRequestsPerSecond}; null leaves the member out
   * @return this
   */
  public OwnLimits requestsPerSecond(Long requestsPerSecond) {
    this.requestsPerSecond = requestsPerSecond;
    return this;
  }

  /**
   * State of views that are not retired, as PostgreSQL stores it.
   *
   * @return the value; null where it is absent
   */
  public Long getStateBytes() {
    return stateBytes;
  }

  /**
   * Sets {@code state_bytes}.
   *
   * @param stateBytes see {@link #getStateBytes}; null leaves the member out
   * @return this
   */
  public OwnLimits stateBytes(Long stateBytes) {
    this.stateBytes = stateBytes;
    return this;
  }

  /**
   * Tails, watched answers and streams of events at a time.
   *
   * @return the value; null where it is absent
   */
  public Long getStreams() {
    return streams;
  }

  /**
   * Sets {@code streams}.
   *
   * @param streams see {@link #getStreams}; null leaves the member out
   * @return this
   */
  public OwnLimits streams(Long streams) {
    this.streams = streams;
    return this;
  }

  /**
   * On all logs, without those that are retired.
   *
   * @return the value; null where it is absent
   */
  public Long getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public OwnLimits views(Long views) {
    this.views = views;
    return this;
  }
}
