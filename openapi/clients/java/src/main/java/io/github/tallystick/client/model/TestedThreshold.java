// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A threshold, and whether the value is past it.
 */
public final class TestedThreshold extends Model {
  @JsonProperty("reached")
  private Boolean reached;

  @JsonProperty("threshold")
  private String threshold;

  /** Makes one without members. */
  public TestedThreshold() {}

  /**
   * Whether the value is past it.
   *
   * @return the value
   */
  public boolean isReached() {
    return reached != null && reached;
  }

  /**
   * Sets {@code reached}.
   *
   * @param reached see {@link #isReached}; null leaves the member out
   * @return this
   */
  public TestedThreshold reached(Boolean reached) {
    this.reached = reached;
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
  public TestedThreshold threshold(String threshold) {
    this.threshold = threshold;
    return this;
  }
}
