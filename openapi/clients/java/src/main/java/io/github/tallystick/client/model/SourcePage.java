// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of sources.
 */
public final class SourcePage extends Model {
  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("sources")
  private List<ListedSource> sources;

  /** Makes one without members. */
  public SourcePage() {}

  /**
   * Give it as cursor to get the next page; absent on the last.
   *
   * @return the value; null where it is absent
   */
  public String getNextCursor() {
    return nextCursor;
  }

  /**
   * Sets {@code next_cursor}.
   *
   * @param nextCursor see {@link #getNextCursor}; null leaves the member out
   * @return this
   */
  public SourcePage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * By name.
   *
   * @return the value
   */
  public List<ListedSource> getSources() {
    return sources;
  }

  /**
   * Sets {@code sources}.
   *
   * @param sources see {@link #getSources}; null leaves the member out
   * @return this
   */
  public SourcePage sources(List<ListedSource> sources) {
    this.sources = sources;
    return this;
  }
}
