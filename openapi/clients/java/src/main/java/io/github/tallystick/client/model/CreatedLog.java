// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A log that was created.
 */
public final class CreatedLog extends Model {
  @JsonProperty("log_id")
  private String logId;

  /** Makes one without members. */
  public CreatedLog() {}

  /**
   * The log's id, by which it can be named instead of by its name.
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
  public CreatedLog logId(String logId) {
    this.logId = logId;
    return this;
  }
}
