// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How many requests ended with a problem of a code.
 */
public final class RefusalCount extends Model {
  @JsonProperty("code")
  private String code;

  @JsonProperty("count")
  private Long count;

  /** Makes one without members. */
  public RefusalCount() {}

  /**
   * The problem's code.
   *
   * @return the value
   */
  public String getCode() {
    return code;
  }

  /**
   * Sets {@code code}.
   *
   * @param code see {@link #getCode}; null leaves the member out
   * @return this
   */
  public RefusalCount code(String code) {
    this.code = code;
    return this;
  }

  /**
   * How many.
   *
   * @return the value
   */
  public long getCount() {
    return count == null ? 0 : count;
  }

  /**
   * Sets {@code count}.
   *
   * @param count see {@link #getCount}; null leaves the member out
   * @return this
   */
  public RefusalCount count(Long count) {
    this.count = count;
    return this;
  }
}
