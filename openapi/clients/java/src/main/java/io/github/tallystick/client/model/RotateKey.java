// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How a key gets another secret.
 */
public final class RotateKey extends Model {
  @JsonProperty("former_valid_seconds")
  private Long formerValidSeconds;

  /** Makes one without members. */
  public RotateKey() {}

  /**
   * How long the present secret stays good; 3600 when absent.
   *
   * @return the value; null where it is absent
   */
  public Long getFormerValidSeconds() {
    return formerValidSeconds;
  }

  /**
   * Sets {@code former_valid_seconds}.
   *
   * @param formerValidSeconds see {@link #getFormerValidSeconds}; null leaves the member out
   * @return this
   */
  public RotateKey formerValidSeconds(Long formerValidSeconds) {
    this.formerValidSeconds = formerValidSeconds;
    return this;
  }
}
