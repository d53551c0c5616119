package io.github.tallystick.client;

import io.github.tallystick.client.model.AcceptedDelivery;
import io.github.tallystick.client.model.CreateWebhook;
import io.github.tallystick.client.model.CreatedWebhook;
import io.github.tallystick.client.model.ReplayedDeliveries;
import io.github.tallystick.client.model.UpdateWebhook;
import io.github.tallystick.client.model.Webhook;
import io.github.tallystick.client.model.WebhookDelivery;
import io.github.tallystick.client.model.WebhookDeliveryDetail;
import io.github.tallystick.client.model.WebhookDeliveryPage;
import io.github.tallystick.client.model.WebhookPage;

/** The operations on webhooks and their deliveries. What changes something is not repeated when the answer is lost. */
abstract class WebhookCalls extends AccessCalls {
  WebhookCalls(Transport transport) {
    super(transport);
  }

  /**
   * Makes a webhook: a receiver that is told what happens, by signed requests.
   *
   * @param webhook where requests go, and what it is told of
   * @param options who asks; may be null
   * @return the webhook with its secret, which is shown this once; the library of Standard Webhooks verifies messages with it
   */
  public CreatedWebhook createWebhook(CreateWebhook webhook, CallOptions options) {
    return transport.send(Call.once("POST", "webhooks").with(options).json(webhook), CreatedWebhook.class);
  }

  /**
   * Reads a page of the list of webhooks. See {@link #webhooks} for all of them.
   *
   * @param options the page's size, at most 50, and cursor; may be null
   * @return the page
   */
  public WebhookPage listWebhooks(ListOptions options) {
    return transport.send(Call.get("webhooks").with(options), WebhookPage.class);
  }

  /**
   * All webhooks of the tenant, over all pages.
   *
   * @param options the size of pages; may be null
   * @return the webhooks
   */
  public Pages<Webhook> webhooks(ListOptions options) {
    return pages(
        options,
        o -> {
          WebhookPage page = listWebhooks(o);
          return new Pages.Page<>(page.getWebhooks(), page.getNextCursor());
        });
  }

  /**
   * Describes a webhook.
   *
   * @param webhook the webhook's id
   * @return the webhook, without its secret
   */
  public Webhook getWebhook(String webhook) {
    return transport.send(Call.get("webhooks", webhook), Webhook.class);
  }

  /**
   * Changes a webhook.
   *
   * @param webhook the webhook's id
   * @param change what is to be changed
   * @param options who asks; may be null
   * @return the webhook
   */
  public Webhook updateWebhook(String webhook, UpdateWebhook change, CallOptions options) {
    return transport.send(Call.once("PATCH", "webhooks", webhook).with(options).json(change), Webhook.class);
  }

  /**
   * Ends a webhook.
   *
   * @param webhook the webhook's id
   * @param options who asks; may be null
   */
  public void deleteWebhook(String webhook, CallOptions options) {
    transport.send(Call.once("DELETE", "webhooks", webhook).with(options));
  }

  /**
   * Sends a message of the type {@code webhook.test}.
   *
   * @param webhook the webhook's id
   * @param options who asks; may be null
   * @return the delivery's id, by which {@link #getDelivery} says what became of it
   */
  public AcceptedDelivery testWebhook(String webhook, CallOptions options) {
    return transport.send(Call.once("POST", "webhooks", webhook, "test").with(options), AcceptedDelivery.class);
  }

  /**
   * Gives a webhook another secret. For 24 hours messages are signed with the one from before, too.
   *
   * @param webhook the webhook's id
   * @param options who asks; may be null
   * @return the webhook with its new secret, which is shown this once
   */
  public CreatedWebhook rotateWebhookSecret(String webhook, CallOptions options) {
    return transport.send(Call.once("POST", "webhooks", webhook, "rotate-secret").with(options), CreatedWebhook.class);
  }

  /**
   * Reads a page of a webhook's deliveries, newest first. See {@link #deliveries} for all of them.
   *
   * @param webhook the webhook's id
   * @param options {@code query("status", …)}: {@code pending}, {@code delivered} or {@code dead}; the page's size, at most 200, and cursor;
   *     may be null
   * @return the page
   */
  public WebhookDeliveryPage listDeliveries(String webhook, ListOptions options) {
    return transport.send(Call.get("webhooks", webhook, "deliveries").with(options), WebhookDeliveryPage.class);
  }

  /**
   * All deliveries of a webhook, newest first, over all pages.
   *
   * @param webhook the webhook's id
   * @param options {@code query("status", …)} and the size of pages; may be null
   * @return the deliveries
   */
  public Pages<WebhookDelivery> deliveries(String webhook, ListOptions options) {
    return pages(
        options,
        o -> {
          WebhookDeliveryPage page = listDeliveries(webhook, o);
          return new Pages.Page<>(page.getDeliveries(), page.getNextCursor());
        });
  }

  /**
   * Describes a delivery.
   *
   * @param webhook the webhook's id
   * @param delivery the delivery's id
   * @return the delivery with its message and the answers that it got
   */
  public WebhookDeliveryDetail getDelivery(String webhook, String delivery) {
    return transport.send(Call.get("webhooks", webhook, "deliveries", delivery), WebhookDeliveryDetail.class);
  }

  /**
   * Sends a delivery that has ended again.
   *
   * @param webhook the webhook's id
   * @param delivery the delivery's id
   * @param options who asks; may be null
   * @return the delivery's id
   */
  public AcceptedDelivery replayDelivery(String webhook, String delivery, CallOptions options) {
    Call call = Call.once("POST", "webhooks", webhook, "deliveries", delivery, "replay");
    return transport.send(call.with(options), AcceptedDelivery.class);
  }

  /**
   * Sends what a webhook did not take, up to 1,000 dead deliveries, again.
   *
   * @param webhook the webhook's id
   * @param options who asks; may be null
   * @return how many, and whether there may be others
   */
  public ReplayedDeliveries replayDeadDeliveries(String webhook, CallOptions options) {
    return transport.send(Call.once("POST", "webhooks", webhook, "replay").with(options), ReplayedDeliveries.class);
  }
}
