// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The server's process is alive.
 */
public final class Health extends Model {
  @JsonProperty("status")
  private String status;

  /** Makes one without members. */
  public Health() {}

  /**
   * ok.
   *
   * @return the value
   */
  public String getStatus() {
    return status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public Health status(String status) {
    this.status = status;
    return this;
  }
}
