// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * An event of a batch that was there before.
 */
public final class DuplicateEvent extends Model {
  @JsonProperty("line")
  private Long line;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public DuplicateEvent() {}

  /**
   * Its line in the batch, or its element in the array, from 1.
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
  public DuplicateEvent line(Long line) {
    this.line = line;
    return this;
  }

  /**
   * Its place in the log.
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
  public DuplicateEvent sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
