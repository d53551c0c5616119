// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How far a version of a view is built.
 */
public final class BuildProgress extends Model {
  @JsonProperty("done")
  private Long done;

  @JsonProperty("events_per_second")
  private Double eventsPerSecond;

  @JsonProperty("seconds_left")
  private Long secondsLeft;

  @JsonProperty("total")
  private Long total;

  /** Makes one without members. */
  public BuildProgress() {}

  /**
   * Events folded.
   *
   * @return the value
   */
  public long getDone() {
    return done == null ? 0 : done;
  }

  /**
   * Sets {@code done}.
   *
   * @param done see {@link #getDone}; null leaves the member out
   * @return this
   */
  public BuildProgress done(Long done) {
    this.done = done;
    return this;
  }

  /**
   * Of the last ten seconds or so; 0 until something is known.
   *
   * @return the value
   */
  public Double getEventsPerSecond() {
    return eventsPerSecond;
  }

  /**
   * Sets {@code events_per_second}.
   *
   * @param eventsPerSecond see {@link #getEventsPerSecond}; null leaves the member out
   * @return this
   */
  public BuildProgress eventsPerSecond(Double eventsPerSecond) {
    this.eventsPerSecond = eventsPerSecond;
    return this;
  }

  /**
   * At that rate; absent while it is 0.
   *
   * @return the value; null where it is absent
   */
  public Long getSecondsLeft() {
    return secondsLeft;
  }

  /**
   * Sets {@code seconds_left}.
   *
   * @param secondsLeft see {@link #getSecondsLeft}; null leaves the member out
   * @return this
   */
  public BuildProgress secondsLeft(Long secondsLeft) {
    this.secondsLeft = secondsLeft;
    return this;
  }

  /**
   * Events in the log.
   *
   * @return the value
   */
  public long getTotal() {
    return total == null ? 0 : total;
  }

  /**
   * Sets {@code total}.
   *
   * @param total see {@link #getTotal}; null leaves the member out
   * @return this
   */
  public BuildProgress total(Long total) {
    this.total = total;
    return this;
  }
}
