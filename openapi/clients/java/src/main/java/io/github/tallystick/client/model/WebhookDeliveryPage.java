// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of a webhook's deliveries.
 */
public final class WebhookDeliveryPage extends Model {
  @JsonProperty("deliveries")
  private List<WebhookDelivery> deliveries;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public WebhookDeliveryPage() {}

  /**
   * Newest first.
   *
   * @return the value
   */
  public List<WebhookDelivery> getDeliveries() {
    return deliveries;
  }

  /**
   * Sets {@code deliveries}.
   *
   * @param deliveries see {@link #getDeliveries}; null leaves the member out
   * @return this
   */
  public WebhookDeliveryPage deliveries(List<WebhookDelivery> deliveries) {
    this.deliveries = deliveries;
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
  public WebhookDeliveryPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
