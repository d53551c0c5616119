// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;

/**
 * How an alert stands on a log.
 */
public final class AlertLog extends Model {
  @JsonProperty("error")
  private String error;

  @JsonProperty("evaluated_at")
  private Instant evaluatedAt;

  @JsonProperty("log")
  private String log;

  @JsonProperty("next_at")
  private Instant nextAt;

  @JsonProperty("of")
  private String of;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("thresholds")
  private List<AlertThreshold> thresholds;

  @JsonProperty("value")
  private String value;

  @JsonProperty("window")
  private String window;

  @JsonProperty("window_end")
  private Instant windowEnd;

  /** Makes one without members. */
  public AlertLog() {}

  /**
   * Why the last evaluation had no value; absent when it had.
   *
   * @return the value; null where it is absent
   */
  public String getError() {
    return error;
  }

  /**
   * Sets {@code error}.
   *
   * @param error see {@link #getError}; null leaves the member out
   * @return this
   */
  public AlertLog error(String error) {
    this.error = error;
    return this;
  }

  /**
   * When it was evaluated last.
   *
   * @return the value
   */
  public Instant getEvaluatedAt() {
    return evaluatedAt;
  }

  /**
   * Sets {@code evaluated_at}.
   *
   * @param evaluatedAt see {@link #getEvaluatedAt}; null leaves the member out
   * @return this
   */
  public AlertLog evaluatedAt(Instant evaluatedAt) {
    this.evaluatedAt = evaluatedAt;
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
  public AlertLog log(String log) {
    this.log = log;
    return this;
  }

  /**
   * When it is evaluated without an event; absent: not before the next one.
   *
   * @return the value; null where it is absent
   */
  public Instant getNextAt() {
    return nextAt;
  }

  /**
   * Sets {@code next_at}.
   *
   * @param nextAt see {@link #getNextAt}; null leaves the member out
   * @return this
   */
  public AlertLog nextAt(Instant nextAt) {
    this.nextAt = nextAt;
    return this;
  }

  /**
   * What percentages were of then.
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
  public AlertLog of(String of) {
    this.of = of;
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
  public AlertLog sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * Those that are firing, or have fired in the window.
   *
   * @return the value
   */
  public List<AlertThreshold> getThresholds() {
    return thresholds;
  }

  /**
   * Sets {@code thresholds}.
   *
   * @param thresholds see {@link #getThresholds}; null leaves the member out
   * @return this
   */
  public AlertLog thresholds(List<AlertThreshold> thresholds) {
    this.thresholds = thresholds;
    return this;
  }

  /**
   * The value that was read last; absent before the first.
   *
   * @return the value; null where it is absent
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
  public AlertLog value(String value) {
    this.value = value;
    return this;
  }

  /**
   * The window that it was read for: when it begins, or what the answer has as window.
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
  public AlertLog window(String window) {
    this.window = window;
    return this;
  }

  /**
   * When the window is over, where that is known.
   *
   * @return the value; null where it is absent
   */
  public Instant getWindowEnd() {
    return windowEnd;
  }

  /**
   * Sets {@code window_end}.
   *
   * @param windowEnd see {@link #getWindowEnd}; null leaves the member out
   * @return this
   */
  public AlertLog windowEnd(Instant windowEnd) {
    this.windowEnd = windowEnd;
    return this;
  }
}
