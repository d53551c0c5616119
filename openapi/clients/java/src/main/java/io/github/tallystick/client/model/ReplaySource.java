// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Which rejects are to be mapped again.
 */
public final class ReplaySource extends Model {
  @JsonProperty("from")
  private Long from;

  @JsonProperty("limit")
  private Long limit;

  /** Makes one without members. */
  public ReplaySource() {}

  /**
   * The first sequence of the log of rejects; its beginning when absent.
   *
   * @return the value; null where it is absent
   */
  public Long getFrom() {
    return from;
  }

  /**
   * Sets {@code from}.
   *
   * @param from see {@link #getFrom}; null leaves the member out
   * @return this
   */
  public ReplaySource from(Long from) {
    this.from = from;
    return this;
  }

  /**
   * How many rejects at most; 1000 when absent.
   *
   * @return the value; null where it is absent
   */
  public Long getLimit() {
    return limit;
  }

  /**
   * Sets {@code limit}.
   *
   * @param limit see {@link #getLimit}; null leaves the member out
   * @return this
   */
  public ReplaySource limit(Long limit) {
    this.limit = limit;
    return this;
  }
}
