// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Why a view does not answer.
 */
public final class AnswerProblem extends Model {
  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  /** Makes one without members. */
  public AnswerProblem() {}

  /**
   * query_refused where the view refuses the question, query_failed where it fails over it.
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
  public AnswerProblem code(String code) {
    this.code = code;
    return this;
  }

  /**
   * Why, in words.
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
  public AnswerProblem detail(String detail) {
    this.detail = detail;
    return this;
  }
}
