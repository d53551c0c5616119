// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * One module of a ready view.
 */
public final class ReadyViewVersion extends Model {
  @JsonProperty("module")
  private String module;

  @JsonProperty("release")
  private String release;

  @JsonProperty("version")
  private Long version;

  /** Makes one without members. */
  public ReadyViewVersion() {}

  /**
   * The module's SHA-256, in hexadecimal.
   *
   * @return the value
   */
  public String getModule() {
    return module;
  }

  /**
   * Sets {@code module}.
   *
   * @param module see {@link #getModule}; null leaves the member out
   * @return this
   */
  public ReadyViewVersion module(String module) {
    this.module = module;
    return this;
  }

  /**
   * The first release that has it; absent while there is none.
   *
   * @return the value; null where it is absent
   */
  public String getRelease() {
    return release;
  }

  /**
   * Sets {@code release}.
   *
   * @param release see {@link #getRelease}; null leaves the member out
   * @return this
   */
  public ReadyViewVersion release(String release) {
    this.release = release;
    return this;
  }

  /**
   * Its number, the same on every server that has it: meter@1 is the first version of meter.
   *
   * @return the value
   */
  public long getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public ReadyViewVersion version(Long version) {
    this.version = version;
    return this;
  }
}
