// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of a view's versions, and what was done to it.
 */
public final class ViewHistory extends Model {
  @JsonProperty("actions")
  private List<ViewAction> actions;

  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("versions")
  private List<View> versions;

  /** Makes one without members. */
  public ViewHistory() {}

  /**
   * What was done to the view, newest first: the last 500 at most.
   *
   * @return the value
   */
  public List<ViewAction> getActions() {
    return actions;
  }

  /**
   * Sets {@code actions}.
   *
   * @param actions see {@link #getActions}; null leaves the member out
   * @return this
   */
  public ViewHistory actions(List<ViewAction> actions) {
    this.actions = actions;
    return this;
  }

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
  public ViewHistory nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * Newest first.
   *
   * @return the value
   */
  public List<View> getVersions() {
    return versions;
  }

  /**
   * Sets {@code versions}.
   *
   * @param versions see {@link #getVersions}; null leaves the member out
   * @return this
   */
  public ViewHistory versions(List<View> versions) {
    this.versions = versions;
    return this;
  }
}
