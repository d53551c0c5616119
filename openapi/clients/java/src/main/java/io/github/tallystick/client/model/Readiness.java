// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The server can store events.
 */
public final class Readiness extends Model {
  @JsonProperty("status")
  private String status;

  @JsonProperty("warnings")
  private List<String> warnings;

  /** Makes one without members. */
  public Readiness() {}

  /**
   * ok.
   *
   * @return the value
   */
  public String getStatus() {
    return status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public Readiness status(String status) {
    this.status = status;
    return this;
  }

  /**
   * What an operator should see to; the server serves all the same. For keys with the scope operator.
   *
   * @return the value; null where it is absent
   */
  public List<String> getWarnings() {
    return warnings;
  }

  /**
   * Sets {@code warnings}.
   *
   * @param warnings see {@link #getWarnings}; null leaves the member out
   * @return this
   */
  public Readiness warnings(List<String> warnings) {
    this.warnings = warnings;
    return this;
  }
}
