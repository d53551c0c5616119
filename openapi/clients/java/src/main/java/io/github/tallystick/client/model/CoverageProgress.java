// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How far all logs of a pattern together are.
 */
public final class CoverageProgress extends Model {
  @JsonProperty("done")
  private Long done;

  @JsonProperty("total")
  private Long total;

  /** Makes one without members. */
  public CoverageProgress() {}

  /**
   * Events folded.
   *
   * @return the value
   */
  public long getDone() {
    return done == null ? 0 : done;
  }

  /**
   * Sets {@code done}.
   *
   * @param done see {@link #getDone}; null leaves the member out
   * @return this
   */
  public CoverageProgress done(Long done) {
    this.done = done;
    return this;
  }

  /**
   * Events in the logs that the pattern covers.
   *
   * @return the value
   */
  public long getTotal() {
    return total == null ? 0 : total;
  }

  /**
   * Sets {@code total}.
   *
   * @param total see {@link #getTotal}; null leaves the member out
   * @return this
   */
  public CoverageProgress total(Long total) {
    this.total = total;
    return this;
  }
}
