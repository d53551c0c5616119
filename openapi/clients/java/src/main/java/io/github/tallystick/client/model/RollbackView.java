// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Which version is to be live again.
 */
public final class RollbackView extends Model {
  @JsonProperty("version")
  private Integer version;

  /** Makes one without members. */
  public RollbackView() {}

  /**
   * The version to make live again.
   *
   * @return the value
   */
  public int getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public RollbackView version(Integer version) {
    this.version = version;
    return this;
  }
}
