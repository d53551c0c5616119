// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * What a source would make of a record.
 */
public final class TestedLine extends Model {
  @JsonProperty("code")
  private String code;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("event")
  private Json event;

  @JsonProperty("key")
  private String key;

  @JsonProperty("line")
  private Long line;

  @JsonProperty("log")
  private String log;

  @JsonProperty("outcome")
  private String outcome;

  /** Makes one without members. */
  public TestedLine() {}

  /**
   * Why it would be rejected.
   *
   * @return the value; null where it is absent
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
  public TestedLine code(String code) {
    this.code = code;
    return this;
  }

  /**
   * Likewise, for people.
   *
   * @return the value; null where it is absent
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
  public TestedLine detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * The event, of a record that is mapped.
   *
   * @return the value; null where it is absent
   */
  public Json getEvent() {
    return event;
  }

  /**
   * Sets {@code event}.
   *
   * @param event see {@link #getEvent}; null leaves the member out
   * @return this
   */
  public TestedLine event(Json event) {
    this.event = event;
    return this;
  }

  /**
   * What the event would be known by; absent where nothing identifies it.
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
  public TestedLine key(String key) {
    this.key = key;
    return this;
  }

  /**
   * Which record of the payload, from 1; those of one envelope share it.
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
  public TestedLine line(Long line) {
    this.line = line;
    return this;
  }

  /**
   * Where it would go. Whether there is such a log is not looked at.
   *
   * @return the value; null where it is absent
   */
  public String getLog() {
    return log;
  }

  /**
   * Sets {@code log}.
   *
   * @param log see {@link #getLog}; null leaves the member out
   * @return this
   */
  public TestedLine log(String log) {
    this.log = log;
    return this;
  }

  /**
   * What would become of it.
   *
   * @return the value
   */
  public String getOutcome() {
    return outcome;
  }

  /**
   * Sets {@code outcome}.
   *
   * @param outcome see {@link #getOutcome}; null leaves the member out
   * @return this
   */
  public TestedLine outcome(String outcome) {
    this.outcome = outcome;
    return this;
  }
}
