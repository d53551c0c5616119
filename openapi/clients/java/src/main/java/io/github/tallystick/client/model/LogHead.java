// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A head that somebody noted earlier.
 */
public final class LogHead extends Model {
  @JsonProperty("hash")
  private String hash;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public LogHead() {}

  /**
   * Of everything up to it, in hexadecimal.
   *
   * @return the value
   */
  public String getHash() {
    return hash;
  }

  /**
   * Sets {@code hash}.
   *
   * @param hash see {@link #getHash}; null leaves the member out
   * @return this
   */
  public LogHead hash(String hash) {
    this.hash = hash;
    return this;
  }

  /**
   * The last event's place.
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
  public LogHead sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
