// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The views that every server has.
 */
public final class ReadyViewList extends Model {
  @JsonProperty("views")
  private List<ReadyView> views;

  /** Makes one without members. */
  public ReadyViewList() {}

  /**
   * By name.
   *
   * @return the value
   */
  public List<ReadyView> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public ReadyViewList views(List<ReadyView> views) {
    this.views = views;
    return this;
  }
}
