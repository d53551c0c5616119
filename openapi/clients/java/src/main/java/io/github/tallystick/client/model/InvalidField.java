// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A parameter or a member that is wrong.
 */
public final class InvalidField extends Model {
  @JsonProperty("location")
  private String location;

  @JsonProperty("message")
  private String message;

  /** Makes one without members. */
  public InvalidField() {}

  /**
   * Where it is, as in body.name or query.limit.
   *
   * @return the value; null where it is absent
   */
  public String getLocation() {
    return location;
  }

  /**
   * Sets {@code location}.
   *
   * @param location see {@link #getLocation}; null leaves the member out
   * @return this
   */
  public InvalidField location(String location) {
    this.location = location;
    return this;
  }

  /**
   * What is wrong with it.
   *
   * @return the value
   */
  public String getMessage() {
    return message;
  }

  /**
   * Sets {@code message}.
   *
   * @param message see {@link #getMessage}; null leaves the member out
   * @return this
   */
  public InvalidField message(String message) {
    this.message = message;
    return this;
  }
}
