// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The mappings that come with the server.
 */
public final class ReadySourceList extends Model {
  @JsonProperty("sources")
  private List<ReadySource> sources;

  /** Makes one without members. */
  public ReadySourceList() {}

  /**
   * By name.
   *
   * @return the value
   */
  public List<ReadySource> getSources() {
    return sources;
  }

  /**
   * Sets {@code sources}.
   *
   * @param sources see {@link #getSources}; null leaves the member out
   * @return this
   */
  public ReadySourceList sources(List<ReadySource> sources) {
    this.sources = sources;
    return this;
  }
}
