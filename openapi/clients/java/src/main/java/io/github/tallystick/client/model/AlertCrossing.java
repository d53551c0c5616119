// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * What has fired or was resolved.
 */
public final class AlertCrossing extends Model {
  @JsonProperty("at")
  private Instant at;

  @JsonProperty("kind")
  private String kind;

  @JsonProperty("log")
  private String log;

  @JsonProperty("of")
  private String of;

  @JsonProperty("reason")
  private String reason;

  @JsonProperty("round")
  private Integer round;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("threshold")
  private String threshold;

  @JsonProperty("value")
  private String value;

  @JsonProperty("window")
  private String window;

  /** Makes one without members. */
  public AlertCrossing() {}

  /**
   * When it was recorded.
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
  public AlertCrossing at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * What happened.
   *
   * @return the value
   */
  public String getKind() {
    return kind;
  }

  /**
   * Sets {@code kind}.
   *
   * @param kind see {@link #getKind}; null leaves the member out
   * @return this
   */
  public AlertCrossing kind(String kind) {
    this.kind = kind;
    return this;
  }

  /**
   * The log's name.
   *
   * @return the value
   */
  public String getLog() {
    return log;
  }

  /**
   * Sets {@code log}.
   *
   * @param log see {@link #getLog}; null leaves the member out
   * @return this
   */
  public AlertCrossing log(String log) {
    this.log = log;
    return this;
  }

  /**
   * What percentages were of.
   *
   * @return the value; null where it is absent
   */
  public String getOf() {
    return of;
  }

  /**
   * Sets {@code of}.
   *
   * @param of see {@link #getOf}; null leaves the member out
   * @return this
   */
  public AlertCrossing of(String of) {
    this.of = of;
    return this;
  }

  /**
   * window: it was resolved since its window is over.
   *
   * @return the value
   */
  public String getReason() {
    return reason;
  }

  /**
   * Sets {@code reason}.
   *
   * @param reason see {@link #getReason}; null leaves the member out
   * @return this
   */
  public AlertCrossing reason(String reason) {
    this.reason = reason;
    return this;
  }

  /**
   * How often it has fired in the window, this time included.
   *
   * @return the value
   */
  public int getRound() {
    return round == null ? 0 : round;
  }

  /**
   * Sets {@code round}.
   *
   * @param round see {@link #getRound}; null leaves the member out
   * @return this
   */
  public AlertCrossing round(Integer round) {
    this.round = round;
    return this;
  }

  /**
   * The value reflects the events up to this one.
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
  public AlertCrossing sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * The threshold.
   *
   * @return the value
   */
  public String getThreshold() {
    return threshold;
  }

  /**
   * Sets {@code threshold}.
   *
   * @param threshold see {@link #getThreshold}; null leaves the member out
   * @return this
   */
  public AlertCrossing threshold(String threshold) {
    this.threshold = threshold;
    return this;
  }

  /**
   * The value.
   *
   * @return the value
   */
  public String getValue() {
    return value;
  }

  /**
   * Sets {@code value}.
   *
   * @param value see {@link #getValue}; null leaves the member out
   * @return this
   */
  public AlertCrossing value(String value) {
    this.value = value;
    return this;
  }

  /**
   * In which window.
   *
   * @return the value; null where it is absent
   */
  public String getWindow() {
    return window;
  }

  /**
   * Sets {@code window}.
   *
   * @param window see {@link #getWindow}; null leaves the member out
   * @return this
   */
  public AlertCrossing window(String window) {
    this.window = window;
    return this;
  }
}
