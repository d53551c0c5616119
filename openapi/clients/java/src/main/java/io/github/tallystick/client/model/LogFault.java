// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Something wrong in a log.
 */
public final class LogFault extends Model {
  @JsonProperty("detail")
  private String detail;

  @JsonProperty("kind")
  private String kind;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public LogFault() {}

  /**
   * What is wrong, in words.
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
  public LogFault detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * Which check it failed.
   *
   * @return the value
   */
  public String getKind() {
    return kind;
  }

  /**
   * Sets {@code kind}.
   *
   * @param kind see {@link #getKind}; null leaves the member out
   * @return this
   */
  public LogFault kind(String kind) {
    this.kind = kind;
    return this;
  }

  /**
   * Where it shows.
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
  public LogFault sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
