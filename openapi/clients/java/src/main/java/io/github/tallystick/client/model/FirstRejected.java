// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A reject that still cannot be stored.
 */
public final class FirstRejected extends Model {
  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public FirstRejected() {}

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
  public FirstRejected code(String code) {
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
  public FirstRejected detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * Of the reject.
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
  public FirstRejected sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
