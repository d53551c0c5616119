// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of versions of views.
 */
public final class ViewStatePage extends Model {
  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("views")
  private List<ViewState> views;

  /** Makes one without members. */
  public ViewStatePage() {}

  /**
   * Give it as cursor to get the next page; absent on the last. A page may have fewer than limit before that.
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
  public ViewStatePage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * By log, view and version.
   *
   * @return the value
   */
  public List<ViewState> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public ViewStatePage views(List<ViewState> views) {
    this.views = views;
    return this;
  }
}
