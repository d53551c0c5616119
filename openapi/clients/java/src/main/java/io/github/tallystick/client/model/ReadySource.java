// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * A mapping that comes with the server.
 */
public final class ReadySource extends Model {
  @JsonProperty("mapping")
  private Json mapping;

  @JsonProperty("name")
  private String name;

  /** Makes one without members. */
  public ReadySource() {}

  /**
   * What the name stands for.
   *
   * @return the value
   */
  public Json getMapping() {
    return mapping;
  }

  /**
   * Sets {@code mapping}.
   *
   * @param mapping see {@link #getMapping}; null leaves the member out
   * @return this
   */
  public ReadySource mapping(Json mapping) {
    this.mapping = mapping;
    return this;
  }

  /**
   * What a mapping has as ready.
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
  public ReadySource name(String name) {
    this.name = name;
    return this;
  }
}
