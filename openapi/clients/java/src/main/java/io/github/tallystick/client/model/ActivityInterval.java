// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * What happened in an interval.
 */
public final class ActivityInterval extends Model {
  @JsonProperty("append_p50_ms")
  private Double appendP50Ms;

  @JsonProperty("append_p99_ms")
  private Double appendP99Ms;

  @JsonProperty("appends")
  private Long appends;

  @JsonProperty("at")
  private Instant at;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("open")
  private Boolean open;

  @JsonProperty("refusals")
  private Long refusals;

  /** Makes one without members. */
  public ActivityInterval() {}

  /**
   * Half of the appends took no longer, in milliseconds; absent without appends.
   *
   * @return the value; null where it is absent
   */
  public Double getAppendP50Ms() {
    return appendP50Ms;
  }

  /**
   * Sets {@code append_p50_ms}.
   *
   * @param appendP50Ms see {@link #getAppendP50Ms}; null leaves the member out
   * @return this
   */
  public ActivityInterval appendP50Ms(Double appendP50Ms) {
    this.appendP50Ms = appendP50Ms;
    return this;
  }

  /**
   * 99 of 100 took no longer.
   *
   * @return the value; null where it is absent
   */
  public Double getAppendP99Ms() {
    return appendP99Ms;
  }

  /**
   * Sets {@code append_p99_ms}.
   *
   * @param appendP99Ms see {@link #getAppendP99Ms}; null leaves the member out
   * @return this
   */
  public ActivityInterval appendP99Ms(Double appendP99Ms) {
    this.appendP99Ms = appendP99Ms;
    return this;
  }

  /**
   * Appends: one for each request that appended, and of a delivery one for each log and portion.
   *
   * @return the value
   */
  public long getAppends() {
    return appends == null ? 0 : appends;
  }

  /**
   * Sets {@code appends}.
   *
   * @param appends see {@link #getAppends}; null leaves the member out
   * @return this
   */
  public ActivityInterval appends(Long appends) {
    this.appends = appends;
    return this;
  }

  /**
   * When it began.
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
  public ActivityInterval at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * Events stored.
   *
   * @return the value
   */
  public long getEvents() {
    return events == null ? 0 : events;
  }

  /**
   * Sets {@code events}.
   *
   * @param events see {@link #getEvents}; null leaves the member out
   * @return this
   */
  public ActivityInterval events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * True while it may still grow: it is under way, or other servers may not have written what they counted.
   *
   * @return the value; false where it is absent
   */
  public boolean isOpen() {
    return open != null && open;
  }

  /**
   * Sets {@code open}.
   *
   * @param open see {@link #isOpen}; null leaves the member out
   * @return this
   */
  public ActivityInterval open(Boolean open) {
    this.open = open;
    return this;
  }

  /**
   * Requests that ended with a problem.
   *
   * @return the value
   */
  public long getRefusals() {
    return refusals == null ? 0 : refusals;
  }

  /**
   * Sets {@code refusals}.
   *
   * @param refusals see {@link #getRefusals}; null leaves the member out
   * @return this
   */
  public ActivityInterval refusals(Long refusals) {
    this.refusals = refusals;
    return this;
  }
}
