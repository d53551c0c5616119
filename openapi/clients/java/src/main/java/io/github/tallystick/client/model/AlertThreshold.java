// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * How a threshold stands on a log.
 */
public final class AlertThreshold extends Model {
  @JsonProperty("fired_at")
  private Instant firedAt;

  @JsonProperty("firing")
  private Boolean firing;

  @JsonProperty("round")
  private Integer round;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("threshold")
  private String threshold;

  /** Makes one without members. */
  public AlertThreshold() {}

  /**
   * When it fired last.
   *
   * @return the value; null where it is absent
   */
  public Instant getFiredAt() {
    return firedAt;
  }

  /**
   * Sets {@code fired_at}.
   *
   * @param firedAt see {@link #getFiredAt}; null leaves the member out
   * @return this
   */
  public AlertThreshold firedAt(Instant firedAt) {
    this.firedAt = firedAt;
    return this;
  }

  /**
   * Whether the value is past it.
   *
   * @return the value
   */
  public boolean isFiring() {
    return firing != null && firing;
  }

  /**
   * Sets {@code firing}.
   *
   * @param firing see {@link #isFiring}; null leaves the member out
   * @return this
   */
  public AlertThreshold firing(Boolean firing) {
    this.firing = firing;
    return this;
  }

  /**
   * How often it has fired in the window.
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
  public AlertThreshold round(Integer round) {
    this.round = round;
    return this;
  }

  /**
   * The value that it fired for last reflects the events up to this one.
   *
   * @return the value; null where it is absent
   */
  public Long getSequence() {
    return sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public AlertThreshold sequence(Long sequence) {
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
  public AlertThreshold threshold(String threshold) {
    this.threshold = threshold;
    return this;
  }
}
