// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The views of a log.
 */
public final class ViewList extends Model {
  @JsonProperty("views")
  private List<View> views;

  /** Makes one without members. */
  public ViewList() {}

  /**
   * By name.
   *
   * @return the value
   */
  public List<View> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public ViewList views(List<View> views) {
    this.views = views;
    return this;
  }
}
