// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of webhooks.
 */
public final class WebhookPage extends Model {
  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("webhooks")
  private List<Webhook> webhooks;

  /** Makes one without members. */
  public WebhookPage() {}

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
  public WebhookPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * In the order in which they were made.
   *
   * @return the value
   */
  public List<Webhook> getWebhooks() {
    return webhooks;
  }

  /**
   * Sets {@code webhooks}.
   *
   * @param webhooks see {@link #getWebhooks}; null leaves the member out
   * @return this
   */
  public WebhookPage webhooks(List<Webhook> webhooks) {
    this.webhooks = webhooks;
    return this;
  }
}
