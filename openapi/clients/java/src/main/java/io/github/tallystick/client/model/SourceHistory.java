// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of a source's versions.
 */
public final class SourceHistory extends Model {
  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("versions")
  private List<SourceVersion> versions;

  /** Makes one without members. */
  public SourceHistory() {}

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
  public SourceHistory nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * Newest first.
   *
   * @return the value
   */
  public List<SourceVersion> getVersions() {
    return versions;
  }

  /**
   * Sets {@code versions}.
   *
   * @param versions see {@link #getVersions}; null leaves the member out
   * @return this
   */
  public SourceHistory versions(List<SourceVersion> versions) {
    this.versions = versions;
    return this;
  }
}
