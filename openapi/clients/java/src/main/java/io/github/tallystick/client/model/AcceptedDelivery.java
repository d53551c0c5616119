// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A delivery that will be tried.
 */
public final class AcceptedDelivery extends Model {
  @JsonProperty("delivery_id")
  private String deliveryId;

  /** Makes one without members. */
  public AcceptedDelivery() {}

  /**
   * The message's id, by which the delivery is to be found.
   *
   * @return the value
   */
  public String getDeliveryId() {
    return deliveryId;
  }

  /**
   * Sets {@code delivery_id}.
   *
   * @param deliveryId see {@link #getDeliveryId}; null leaves the member out
   * @return this
   */
  public AcceptedDelivery deliveryId(String deliveryId) {
    this.deliveryId = deliveryId;
    return this;
  }
}
