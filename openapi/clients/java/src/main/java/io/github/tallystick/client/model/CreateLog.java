// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;

/**
 * A log that is to be created.
 */
public final class CreateLog extends Model {
  @JsonProperty("labels")
  private Map<String, String> labels;

  @JsonProperty("name")
  private String name;

  /** Makes one without members. */
  public CreateLog() {}

  /**
   * At most 32, for your own use.
   *
   * @return the value; null where it is absent
   */
  public Map<String, String> getLabels() {
    return labels;
  }

  /**
   * Sets {@code labels}.
   *
   * @param labels see {@link #getLabels}; null leaves the member out
   * @return this
   */
  public CreateLog labels(Map<String, String> labels) {
    this.labels = labels;
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
  public CreateLog name(String name) {
    this.name = name;
    return this;
  }
}
