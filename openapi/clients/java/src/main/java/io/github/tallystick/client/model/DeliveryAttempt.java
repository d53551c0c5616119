// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * One try of a delivery.
 */
public final class DeliveryAttempt extends Model {
  @JsonProperty("answer")
  private String answer;

  @JsonProperty("at")
  private Instant at;

  @JsonProperty("attempt")
  private Long attempt;

  @JsonProperty("duration_ms")
  private Long durationMs;

  @JsonProperty("error")
  private String error;

  @JsonProperty("status")
  private Long status;

  /** Makes one without members. */
  public DeliveryAttempt() {}

  /**
   * The first 1,024 bytes of the answer's body.
   *
   * @return the value; null where it is absent
   */
  public String getAnswer() {
    return answer;
  }

  /**
   * Sets {@code answer}.
   *
   * @param answer see {@link #getAnswer}; null leaves the member out
   * @return this
   */
  public DeliveryAttempt answer(String answer) {
    this.answer = answer;
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
  public DeliveryAttempt at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * 1 for the first.
   *
   * @return the value
   */
  public long getAttempt() {
    return attempt == null ? 0 : attempt;
  }

  /**
   * Sets {@code attempt}.
   *
   * @param attempt see {@link #getAttempt}; null leaves the member out
   * @return this
   */
  public DeliveryAttempt attempt(Long attempt) {
    this.attempt = attempt;
    return this;
  }

  /**
   * How long it took, in milliseconds.
   *
   * @return the value
   */
  public long getDurationMs() {
    return durationMs == null ? 0 : durationMs;
  }

  /**
   * Sets {@code duration_ms}.
   *
   * @param durationMs see {@link #getDurationMs}; null leaves the member out
   * @return this
   */
  public DeliveryAttempt durationMs(Long durationMs) {
    this.durationMs = durationMs;
    return this;
  }

  /**
   * Why it failed; absent when it did not.
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
  public DeliveryAttempt error(String error) {
    this.error = error;
    return this;
  }

  /**
   * The HTTP status of the answer; absent when there was none.
   *
   * @return the value; null where it is absent
   */
  public Long getStatus() {
    return status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public DeliveryAttempt status(Long status) {
    this.status = status;
    return this;
  }
}
