// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * An event as it is in its log.
 */
public final class Event extends Model {
  @JsonProperty("data")
  private Json data;

  @JsonProperty("hash")
  private String hash;

  @JsonProperty("key")
  private String key;

  @JsonProperty("raw")
  private String raw;

  @JsonProperty("recorded_at")
  private Instant recordedAt;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("time")
  private Instant time;

  @JsonProperty("type")
  private String type;

  /** Makes one without members. */
  public Event() {}

  /**
   * The object as it was sent.
   *
   * @return the value
   */
  public Json getData() {
    return data;
  }

  /**
   * Sets {@code data}.
   *
   * @param data see {@link #getData}; null leaves the member out
   * @return this
   */
  public Event data(Json data) {
    this.data = data;
    return this;
  }

  /**
   * The hash of everything up to it, in hexadecimal.
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
  public Event hash(String hash) {
    this.hash = hash;
    return this;
  }

  /**
   * Its idempotency key; absent when it has none.
   *
   * @return the value; null where it is absent
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
  public Event key(String key) {
    this.key = key;
    return this;
  }

  /**
   * The bytes as they were sent, where data does not show them: in lines, those with line breaks; white space around an object, which earlier versions kept.
   *
   * @return the value; null where it is absent
   */
  public String getRaw() {
    return raw;
  }

  /**
   * Sets {@code raw}.
   *
   * @param raw see {@link #getRaw}; null leaves the member out
   * @return this
   */
  public Event raw(String raw) {
    this.raw = raw;
    return this;
  }

  /**
   * When it was recorded.
   *
   * @return the value
   */
  public Instant getRecordedAt() {
    return recordedAt;
  }

  /**
   * Sets {@code recorded_at}.
   *
   * @param recordedAt see {@link #getRecordedAt}; null leaves the member out
   * @return this
   */
  public Event recordedAt(Instant recordedAt) {
    this.recordedAt = recordedAt;
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
  public Event sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * When it happened.
   *
   * @return the value
   */
  public Instant getTime() {
    return time;
  }

  /**
   * Sets {@code time}.
   *
   * @param time see {@link #getTime}; null leaves the member out
   * @return this
   */
  public Event time(Instant time) {
    this.time = time;
    return this;
  }

  /**
   * Absent when it has none.
   *
   * @return the value; null where it is absent
   */
  public String getType() {
    return type;
  }

  /**
   * Sets {@code type}.
   *
   * @param type see {@link #getType}; null leaves the member out
   * @return this
   */
  public Event type(String type) {
    this.type = type;
    return this;
  }
}
