// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How a halted view goes on.
 */
public final class ResumeView extends Model {
  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("reason")
  private String reason;

  @JsonProperty("skip")
  private Boolean skip;

  @JsonProperty("version")
  private Integer version;

  /** Makes one without members. */
  public ResumeView() {}

  /**
   * The budget of one event's fold from here on; as before when absent.
   *
   * @return the value; null where it is absent
   */
  public Long getGas() {
    return gas;
  }

  /**
   * Sets {@code gas}.
   *
   * @param gas see {@link #getGas}; null leaves the member out
   * @return this
   */
  public ResumeView gas(Long gas) {
    this.gas = gas;
    return this;
  }

  /**
   * Why, for the record: at most 1,024 bytes.
   *
   * @return the value; null where it is absent
   */
  public String getReason() {
    return reason;
  }

  /**
   * Sets {@code reason}.
   *
   * @param reason see {@link #getReason}; null leaves the member out
   * @return this
   */
  public ResumeView reason(String reason) {
    this.reason = reason;
    return this;
  }

  /**
   * Leave out the event that it halted at, for ever. Else that event is tried again.
   *
   * @return the value; false where it is absent
   */
  public boolean isSkip() {
    return skip != null && skip;
  }

  /**
   * Sets {@code skip}.
   *
   * @param skip see {@link #isSkip}; null leaves the member out
   * @return this
   */
  public ResumeView skip(Boolean skip) {
    this.skip = skip;
    return this;
  }

  /**
   * Which halted version; the one that was asked for last when absent.
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
  public ResumeView version(Integer version) {
    this.version = version;
    return this;
  }
}
