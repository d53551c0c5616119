// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of logs.
 */
public final class LogPage extends Model {
  @JsonProperty("logs")
  private List<Log> logs;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public LogPage() {}

  /**
   * By name, or by activity.
   *
   * @return the value
   */
  public List<Log> getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public LogPage logs(List<Log> logs) {
    this.logs = logs;
    return this;
  }

  /**
   * Give it as cursor to get the next page; absent on the last. A page may have fewer than limit logs before that.
   *
   * @return the value; null where it is absent
   */
  public String getNextCursor() {
    return nextCursor;
  }

  /**
   * Sets {@code next_cursor}.
   *
   * @param nextCursor see {@link #getNextCursor}; null leaves the member out
   * @return this
   */
  public LogPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
