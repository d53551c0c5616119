// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The first line that was rejected.
 */
public final class DeliveryFirstRejected extends Model {
  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("line")
  private Long line;

  /** Makes one without members. */
  public DeliveryFirstRejected() {}

  /**
   * Why, for programs.
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
  public DeliveryFirstRejected code(String code) {
    this.code = code;
    return this;
  }

  /**
   * Why, for people.
   *
   * @return the value
   */
  public String getDetail() {
    return detail;
  }

  /**
   * Sets {@code detail}.
   *
   * @param detail see {@link #getDetail}; null leaves the member out
   * @return this
   */
  public DeliveryFirstRejected detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * Which line, from 1.
   *
   * @return the value
   */
  public long getLine() {
    return line == null ? 0 : line;
  }

  /**
   * Sets {@code line}.
   *
   * @param line see {@link #getLine}; null leaves the member out
   * @return this
   */
  public DeliveryFirstRejected line(Long line) {
    this.line = line;
    return this;
  }
}
