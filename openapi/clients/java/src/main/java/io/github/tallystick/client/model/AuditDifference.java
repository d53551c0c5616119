// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Where two ways of folding differ.
 */
public final class AuditDifference extends Model {
  @JsonProperty("expected")
  private String expected;

  @JsonProperty("found")
  private String found;

  @JsonProperty("key")
  private String key;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("way")
  private String way;

  /** Makes one without members. */
  public AuditDifference() {}

  /**
   * The value one event at a time, its first 200 bytes; null: no such key.
   *
   * @return the value
   */
  public String getExpected() {
    return expected;
  }

  /**
   * Sets {@code expected}.
   *
   * @param expected see {@link #getExpected}; null leaves the member out
   * @return this
   */
  public AuditDifference expected(String expected) {
    this.expected = expected;
    return this;
  }

  /**
   * The value that the other way gives; null: no such key.
   *
   * @return the value
   */
  public String getFound() {
    return found;
  }

  /**
   * Sets {@code found}.
   *
   * @param found see {@link #getFound}; null leaves the member out
   * @return this
   */
  public AuditDifference found(String found) {
    this.found = found;
    return this;
  }

  /**
   * The first key that differs, in byte order; empty when the ways differ over what they say of the event.
   *
   * @return the value
   */
  public String getKey() {
    return key;
  }

  /**
   * Sets {@code key}.
   *
   * @param key see {@link #getKey}; null leaves the member out
   * @return this
   */
  public AuditDifference key(String key) {
    this.key = key;
    return this;
  }

  /**
   * After which event.
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
  public AuditDifference sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * Which way differs from folding one event at a time.
   *
   * @return the value
   */
  public String getWay() {
    return way;
  }

  /**
   * Sets {@code way}.
   *
   * @param way see {@link #getWay}; null leaves the member out
   * @return this
   */
  public AuditDifference way(String way) {
    this.way = way;
    return this;
  }
}
