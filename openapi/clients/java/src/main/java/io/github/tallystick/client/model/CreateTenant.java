// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A tenant that is to be made.
 */
public final class CreateTenant extends Model {
  @JsonProperty("limits")
  private OwnLimits limits;

  @JsonProperty("name")
  private String name;

  /** Makes one without members. */
  public CreateTenant() {}

  /**
   * Of its own, instead of the server's defaults.
   *
   * @return the value; null where it is absent
   */
  public OwnLimits getLimits() {
    return limits;
  }

  /**
   * Sets {@code limits}.
   *
   * @param limits see {@link #getLimits}; null leaves the member out
   * @return this
   */
  public CreateTenant limits(OwnLimits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * Unique; letters, digits and . _ : @ + = ~ -, 1 to 200 of them.
   *
   * @return the value
   */
  public String getName() {
    return name;
  }

  /**
   * Sets {@code name}.
   *
   * @param name see {@link #getName}; null leaves the member out
   * @return this
   */
  public CreateTenant name(String name) {
    this.name = name;
    return this;
  }
}
