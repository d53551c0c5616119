// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;

/**
 * A log that is to be there.
 */
public final class EnsureLog extends Model {
  @JsonProperty("labels")
  private Map<String, String> labels;

  /** Makes one without members. */
  public EnsureLog() {}

  /**
   * At most 32, for your own use. A log that is there must have just these; any when absent.
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
  public EnsureLog labels(Map<String, String> labels) {
    this.labels = labels;
    return this;
  }
}
