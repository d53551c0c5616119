// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of alerts.
 */
public final class AlertPage extends Model {
  @JsonProperty("alerts")
  private List<ListedAlert> alerts;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public AlertPage() {}

  /**
   * By name.
   *
   * @return the value
   */
  public List<ListedAlert> getAlerts() {
    return alerts;
  }

  /**
   * Sets {@code alerts}.
   *
   * @param alerts see {@link #getAlerts}; null leaves the member out
   * @return this
   */
  public AlertPage alerts(List<ListedAlert> alerts) {
    this.alerts = alerts;
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
  public AlertPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
