// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * What happened in a tenant lately.
 */
public final class Activity extends Model {
  @JsonProperty("append_p50_ms")
  private Double appendP50Ms;

  @JsonProperty("append_p99_ms")
  private Double appendP99Ms;

  @JsonProperty("appends")
  private Long appends;

  @JsonProperty("at")
  private Instant at;

  @JsonProperty("building_views")
  private Long buildingViews;

  @JsonProperty("dead_deliveries")
  private Long deadDeliveries;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("events_per_second")
  private Double eventsPerSecond;

  @JsonProperty("firing_alerts")
  private Long firingAlerts;

  @JsonProperty("halted_views")
  private Long haltedViews;

  @JsonProperty("interval_seconds")
  private Long intervalSeconds;

  @JsonProperty("intervals")
  private List<ActivityInterval> intervals;

  @JsonProperty("logs")
  private Long logs;

  @JsonProperty("refusals")
  private List<RefusalCount> refusals;

  /** Makes one without members. */
  public Activity() {}

  /**
   * Half of all appends took no longer, in milliseconds; absent without appends.
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
  public Activity appendP50Ms(Double appendP50Ms) {
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
  public Activity appendP99Ms(Double appendP99Ms) {
    this.appendP99Ms = appendP99Ms;
    return this;
  }

  /**
   * Appends in all of them.
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
  public Activity appends(Long appends) {
    this.appends = appends;
    return this;
  }

  /**
   * When this was read, by the server's clock, as all times here.
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
  public Activity at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * Versions of views that are being built; for who may list them.
   *
   * @return the value; null where it is absent
   */
  public Long getBuildingViews() {
    return buildingViews;
  }

  /**
   * Sets {@code building_views}.
   *
   * @param buildingViews see {@link #getBuildingViews}; null leaves the member out
   * @return this
   */
  public Activity buildingViews(Long buildingViews) {
    this.buildingViews = buildingViews;
    return this;
  }

  /**
   * Deliveries to webhooks that are given up, up to 10,000; for who may list them.
   *
   * @return the value; null where it is absent
   */
  public Long getDeadDeliveries() {
    return deadDeliveries;
  }

  /**
   * Sets {@code dead_deliveries}.
   *
   * @param deadDeliveries see {@link #getDeadDeliveries}; null leaves the member out
   * @return this
   */
  public Activity deadDeliveries(Long deadDeliveries) {
    this.deadDeliveries = deadDeliveries;
    return this;
  }

  /**
   * Events stored in all of them, without duplicates and without what was rejected.
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
  public Activity events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * Of the last five seconds up to now by the server that answers, and by others of the last interval that all have written.
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
  public Activity eventsPerSecond(Double eventsPerSecond) {
    this.eventsPerSecond = eventsPerSecond;
    return this;
  }

  /**
   * Alerts that are firing on a log at least; for who may list them.
   *
   * @return the value; null where it is absent
   */
  public Long getFiringAlerts() {
    return firingAlerts;
  }

  /**
   * Sets {@code firing_alerts}.
   *
   * @param firingAlerts see {@link #getFiringAlerts}; null leaves the member out
   * @return this
   */
  public Activity firingAlerts(Long firingAlerts) {
    this.firingAlerts = firingAlerts;
    return this;
  }

  /**
   * Versions of views that are halted; for who may list them.
   *
   * @return the value; null where it is absent
   */
  public Long getHaltedViews() {
    return haltedViews;
  }

  /**
   * Sets {@code halted_views}.
   *
   * @param haltedViews see {@link #getHaltedViews}; null leaves the member out
   * @return this
   */
  public Activity haltedViews(Long haltedViews) {
    this.haltedViews = haltedViews;
    return this;
  }

  /**
   * How long an interval is.
   *
   * @return the value
   */
  public long getIntervalSeconds() {
    return intervalSeconds == null ? 0 : intervalSeconds;
  }

  /**
   * Sets {@code interval_seconds}.
   *
   * @param intervalSeconds see {@link #getIntervalSeconds}; null leaves the member out
   * @return this
   */
  public Activity intervalSeconds(Long intervalSeconds) {
    this.intervalSeconds = intervalSeconds;
    return this;
  }

  /**
   * The oldest first, without gaps; the last is under way.
   *
   * @return the value
   */
  public List<ActivityInterval> getIntervals() {
    return intervals;
  }

  /**
   * Sets {@code intervals}.
   *
   * @param intervals see {@link #getIntervals}; null leaves the member out
   * @return this
   */
  public Activity intervals(List<ActivityInterval> intervals) {
    this.intervals = intervals;
    return this;
  }

  /**
   * How many logs there are, up to 1,000,000; for who may list them.
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
  public Activity logs(Long logs) {
    this.logs = logs;
    return this;
  }

  /**
   * Requests in all intervals that ended with a problem, by its code, the most frequent first.
   *
   * @return the value
   */
  public List<RefusalCount> getRefusals() {
    return refusals;
  }

  /**
   * Sets {@code refusals}.
   *
   * @param refusals see {@link #getRefusals}; null leaves the member out
   * @return this
   */
  public Activity refusals(List<RefusalCount> refusals) {
    this.refusals = refusals;
    return this;
  }
}
