import { type CallOptions, parametersOf } from "../options.js";
import type { Call } from "../transport.js";
import type { Answer, Input, Parameters } from "../types.js";
import { AccessCalls } from "./access.js";
import { json } from "./logs.js";

/** Operations on webhooks and their deliveries. What changes something is never sent again by itself. */
export abstract class WebhookCalls extends AccessCalls {
  /** Makes a webhook: its secret, by which a Standard Webhooks library verifies its messages, is in this answer alone. */
  createWebhook(webhook: Input<"create-webhook">, options: CallOptions = {}): Promise<Answer<"create-webhook">> {
    return this.json({ method: "POST", path: ["webhooks"], ...json(webhook), safe: false, options });
  }

  /** A page of webhooks, of at most 50. All of them: {@link Tally.webhooks}. */
  listWebhooks(options: Parameters<"list-webhooks"> & CallOptions = {}): Promise<Answer<"list-webhooks">> {
    return this.json({ method: "GET", path: ["webhooks"], query: parametersOf(options), safe: true, options });
  }

  /** A webhook, without its secret. */
  getWebhook(webhook: string, options: CallOptions = {}): Promise<Answer<"get-webhook">> {
    return this.json({ method: "GET", path: ["webhooks", webhook], safe: true, options });
  }

  /** Changes a webhook; what is absent stays. */
  updateWebhook(
    webhook: string,
    change: Input<"update-webhook">,
    options: CallOptions = {},
  ): Promise<Answer<"update-webhook">> {
    return this.json({ method: "PATCH", path: ["webhooks", webhook], ...json(change), safe: false, options });
  }

  /** Ends a webhook. */
  async deleteWebhook(webhook: string, options: CallOptions = {}): Promise<void> {
    await this.send({ method: "DELETE", path: ["webhooks", webhook], safe: false, options });
  }

  /** Sends a message of the type `webhook.test`. */
  testWebhook(webhook: string, options: CallOptions = {}): Promise<Answer<"test-webhook">> {
    return this.json(ordered(["webhooks", webhook, "test"], options));
  }

  /** Gives a webhook another secret, which is in this answer alone; for 24 hours messages are signed with both. */
  rotateWebhookSecret(webhook: string, options: CallOptions = {}): Promise<Answer<"rotate-webhook-secret">> {
    return this.json(ordered(["webhooks", webhook, "rotate-secret"], options));
  }

  /** A page of a webhook's deliveries, newest first, of at most 200. All of them: {@link Tally.deliveries}. */
  listDeliveries(
    webhook: string,
    options: Parameters<"list-deliveries"> & CallOptions = {},
  ): Promise<Answer<"list-deliveries">> {
    const query = parametersOf(options);
    return this.json({ method: "GET", path: ["webhooks", webhook, "deliveries"], query, safe: true, options });
  }

  /** A delivery, with its message and the answers that it got. */
  getDelivery(webhook: string, delivery: string, options: CallOptions = {}): Promise<Answer<"get-delivery">> {
    return this.json({ method: "GET", path: ["webhooks", webhook, "deliveries", delivery], safe: true, options });
  }

  /** Sends a delivery that has ended again. */
  replayDelivery(webhook: string, delivery: string, options: CallOptions = {}): Promise<Answer<"replay-delivery">> {
    return this.json(ordered(["webhooks", webhook, "deliveries", delivery, "replay"], options));
  }

  /** Sends up to 1,000 dead deliveries again. */
  replayDeadDeliveries(webhook: string, options: CallOptions = {}): Promise<Answer<"replay-dead-deliveries">> {
    return this.json(ordered(["webhooks", webhook, "replay"], options));
  }
}

function ordered(path: string[], options: CallOptions): Call {
  return { method: "POST", path, safe: false, options };
}
