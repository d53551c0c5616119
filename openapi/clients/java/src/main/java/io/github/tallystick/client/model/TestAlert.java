// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * On which log an alert is to be evaluated.
 */
public final class TestAlert extends Model {
  @JsonProperty("log")
  private String log;

  /** Makes one without members. */
  public TestAlert() {}

  /**
   * The log's name or id.
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
  public TestAlert log(String log) {
    this.log = log;
    return this;
  }
}
