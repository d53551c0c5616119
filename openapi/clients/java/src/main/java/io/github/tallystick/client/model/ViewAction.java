// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * Something that was done to a view.
 */
public final class ViewAction extends Model {
  @JsonProperty("action")
  private String action;

  @JsonProperty("actor")
  private String actor;

  @JsonProperty("at")
  private Instant at;

  @JsonProperty("detail")
  private String detail;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("version")
  private Integer version;

  /** Makes one without members. */
  public ViewAction() {}

  /**
   * What was done.
   *
   * @return the value
   */
  public String getAction() {
    return action;
  }

  /**
   * Sets {@code action}.
   *
   * @param action see {@link #getAction}; null leaves the member out
   * @return this
   */
  public ViewAction action(String action) {
    this.action = action;
    return this;
  }

  /**
   * Who asked for it. Absent when nobody said, or the server did it by itself.
   *
   * @return the value; null where it is absent
   */
  public String getActor() {
    return actor;
  }

  /**
   * Sets {@code actor}.
   *
   * @param actor see {@link #getActor}; null leaves the member out
   * @return this
   */
  public ViewAction actor(String actor) {
    this.actor = actor;
    return this;
  }

  /**
   * When.
   *
   * @return the value
   */
  public Instant getAt() {
    return at;
  }

  /**
   * Sets {@code at}.
   *
   * @param at see {@link #getAt}; null leaves the member out
   * @return this
   */
  public ViewAction at(Instant at) {
    this.at = at;
    return this;
  }

  /**
   * Why: an error, a reason.
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
  public ViewAction detail(String detail) {
    this.detail = detail;
    return this;
  }

  /**
   * The event that a halt, a resume or a skip is about, or the head at which it went live.
   *
   * @return the value; null where it is absent
   */
  public Long getSequence() {
    return sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public ViewAction sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * Absent when it concerns the whole view.
   *
   * @return the value; null where it is absent
   */
  public Integer getVersion() {
    return version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public ViewAction version(Integer version) {
    this.version = version;
    return this;
  }
}
