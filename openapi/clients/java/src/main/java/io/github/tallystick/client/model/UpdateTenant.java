// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What becomes of a tenant. What is absent stays.
 */
public final class UpdateTenant extends Model {
  @JsonProperty("limits")
  private OwnLimits limits;

  @JsonProperty("name")
  private String name;

  @JsonProperty("suspended")
  private Boolean suspended;

  /** Makes one without members. */
  public UpdateTenant() {}

  /**
   * All that it is to have of its own: of those that are absent in here, the server's defaults hold.
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
  public UpdateTenant limits(OwnLimits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * Another name.
   *
   * @return the value; null where it is absent
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
  public UpdateTenant name(String name) {
    this.name = name;
    return this;
  }

  /**
   * True suspends the tenant: its appends are refused with 403. False resumes it.
   *
   * @return the value; false where it is absent
   */
  public boolean isSuspended() {
    return suspended != null && suspended;
  }

  /**
   * Sets {@code suspended}.
   *
   * @param suspended see {@link #isSuspended}; null leaves the member out
   * @return this
   */
  public UpdateTenant suspended(Boolean suspended) {
    this.suspended = suspended;
    return this;
  }
}
