// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The event that a view would halt over.
 */
public final class PreviewHalt extends Model {
  @JsonProperty("error")
  private String error;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public PreviewHalt() {}

  /**
   * Why it cannot be folded.
   *
   * @return the value
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
  public PreviewHalt error(String error) {
    this.error = error;
    return this;
  }

  /**
   * The event.
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
  public PreviewHalt sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
