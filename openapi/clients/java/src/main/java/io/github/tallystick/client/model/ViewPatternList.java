// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The views that are deployed on patterns of logs.
 */
public final class ViewPatternList extends Model {
  @JsonProperty("views")
  private List<ViewPattern> views;

  /** Makes one without members. */
  public ViewPatternList() {}

  /**
   * By name.
   *
   * @return the value
   */
  public List<ViewPattern> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public ViewPatternList views(List<ViewPattern> views) {
    this.views = views;
    return this;
  }
}
