// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * The result of reading a log again.
 */
public final class LogVerification extends Model {
  @JsonProperty("bytes")
  private Long bytes;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("faults")
  private List<LogFault> faults;

  @JsonProperty("finished_at")
  private Instant finishedAt;

  @JsonProperty("from")
  private Long from;

  @JsonProperty("hash")
  private String hash;

  @JsonProperty("log_id")
  private String logId;

  @JsonProperty("name")
  private String name;

  @JsonProperty("noted")
  private LogHead noted;

  @JsonProperty("ok")
  private Boolean ok;

  @JsonProperty("seconds")
  private Double seconds;

  @JsonProperty("to")
  private Long to;

  @JsonProperty("views")
  private List<ViewVerification> views;

  @JsonProperty("wrong")
  private Long wrong;

  /** Makes one without members. */
  public LogVerification() {}

  /**
   * Their size as they were sent.
   *
   * @return the value
   */
  public long getBytes() {
    return bytes == null ? 0 : bytes;
  }

  /**
   * Sets {@code bytes}.
   *
   * @param bytes see {@link #getBytes}; null leaves the member out
   * @return this
   */
  public LogVerification bytes(Long bytes) {
    this.bytes = bytes;
    return this;
  }

  /**
   * Events that were read.
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
  public LogVerification events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * The first of them.
   *
   * @return the value
   */
  public List<LogFault> getFaults() {
    return faults;
  }

  /**
   * Sets {@code faults}.
   *
   * @param faults see {@link #getFaults}; null leaves the member out
   * @return this
   */
  public LogVerification faults(List<LogFault> faults) {
    this.faults = faults;
    return this;
  }

  /**
   * When the verification ended.
   *
   * @return the value
   */
  public Instant getFinishedAt() {
    return finishedAt;
  }

  /**
   * Sets {@code finished_at}.
   *
   * @param finishedAt see {@link #getFinishedAt}; null leaves the member out
   * @return this
   */
  public LogVerification finishedAt(Instant finishedAt) {
    this.finishedAt = finishedAt;
    return this;
  }

  /**
   * The first sequence that was read; 0 for an empty log.
   *
   * @return the value
   */
  public long getFrom() {
    return from == null ? 0 : from;
  }

  /**
   * Sets {@code from}.
   *
   * @param from see {@link #getFrom}; null leaves the member out
   * @return this
   */
  public LogVerification from(Long from) {
    this.from = from;
    return this;
  }

  /**
   * The head's hash.
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
  public LogVerification hash(String hash) {
    this.hash = hash;
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
  public LogVerification logId(String logId) {
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
  public LogVerification name(String name) {
    this.name = name;
    return this;
  }

  /**
   * The head noted earlier that the log was held against.
   *
   * @return the value; null where it is absent
   */
  public LogHead getNoted() {
    return noted;
  }

  /**
   * Sets {@code noted}.
   *
   * @param noted see {@link #getNoted}; null leaves the member out
   * @return this
   */
  public LogVerification noted(LogHead noted) {
    this.noted = noted;
    return this;
  }

  /**
   * Nothing was found: the chain is whole and leads to the head, and every view's state is what the events give.
   *
   * @return the value
   */
  public boolean isOk() {
    return ok != null && ok;
  }

  /**
   * Sets {@code ok}.
   *
   * @param ok see {@link #isOk}; null leaves the member out
   * @return this
   */
  public LogVerification ok(Boolean ok) {
    this.ok = ok;
    return this;
  }

  /**
   * How long it took.
   *
   * @return the value
   */
  public Double getSeconds() {
    return seconds;
  }

  /**
   * Sets {@code seconds}.
   *
   * @param seconds see {@link #getSeconds}; null leaves the member out
   * @return this
   */
  public LogVerification seconds(Double seconds) {
    this.seconds = seconds;
    return this;
  }

  /**
   * The last one: the head when the verification began.
   *
   * @return the value
   */
  public long getTo() {
    return to == null ? 0 : to;
  }

  /**
   * Sets {@code to}.
   *
   * @param to see {@link #getTo}; null leaves the member out
   * @return this
   */
  public LogVerification to(Long to) {
    this.to = to;
    return this;
  }

  /**
   * The views that were verified.
   *
   * @return the value
   */
  public List<ViewVerification> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public LogVerification views(List<ViewVerification> views) {
    this.views = views;
    return this;
  }

  /**
   * How many faults were found in the log; at most the first 20 are told.
   *
   * @return the value
   */
  public long getWrong() {
    return wrong == null ? 0 : wrong;
  }

  /**
   * Sets {@code wrong}.
   *
   * @param wrong see {@link #getWrong}; null leaves the member out
   * @return this
   */
  public LogVerification wrong(Long wrong) {
    this.wrong = wrong;
    return this;
  }
}
