// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of crossings.
 */
public final class AlertCrossingPage extends Model {
  @JsonProperty("crossings")
  private List<AlertCrossing> crossings;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public AlertCrossingPage() {}

  /**
   * Newest first.
   *
   * @return the value
   */
  public List<AlertCrossing> getCrossings() {
    return crossings;
  }

  /**
   * Sets {@code crossings}.
   *
   * @param crossings see {@link #getCrossings}; null leaves the member out
   * @return this
   */
  public AlertCrossingPage crossings(List<AlertCrossing> crossings) {
    this.crossings = crossings;
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
  public AlertCrossingPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
