import { type CallOptions, parametersOf } from "../options.js";
import type { Answer, Input, Parameters } from "../types.js";
import { json } from "./logs.js";
import { WebhookCalls } from "./webhooks.js";

/** Operations on alerts. */
export abstract class AlertCalls extends WebhookCalls {
  /** Makes or changes an alert. The same again changes nothing. */
  putAlert(alert: string, definition: Input<"put-alert">, options: CallOptions = {}): Promise<Answer<"put-alert">> {
    return this.json({ method: "PUT", path: ["alerts", alert], ...json(definition), safe: true, options });
  }

  /** An alert, with how it stands on a page of its logs. */
  getAlert(alert: string, options: Parameters<"get-alert"> & CallOptions = {}): Promise<Answer<"get-alert">> {
    return this.json({ method: "GET", path: ["alerts", alert], query: parametersOf(options), safe: true, options });
  }

  /** A page of alerts, by name. All of them: {@link Tally.alerts}. */
  listAlerts(options: Parameters<"list-alerts"> & CallOptions = {}): Promise<Answer<"list-alerts">> {
    return this.json({ method: "GET", path: ["alerts"], query: parametersOf(options), safe: true, options });
  }

  /** Ends an alert; nothing is resolved. Never sent again by itself. */
  async deleteAlert(alert: string, options: CallOptions = {}): Promise<void> {
    await this.send({ method: "DELETE", path: ["alerts", alert], safe: false, options });
  }

  /** A page of what of an alert has fired or was resolved, newest first. All of it: {@link Tally.crossings}. */
  listCrossings(
    alert: string,
    options: Parameters<"list-crossings"> & CallOptions = {},
  ): Promise<Answer<"list-crossings">> {
    const query = parametersOf(options);
    return this.json({ method: "GET", path: ["alerts", alert, "crossings"], query, safe: true, options });
  }

  /** Evaluates an alert on a log, `{ log }`, now and without consequences. */
  testAlert(alert: string, body: Input<"test-alert">, options: CallOptions = {}): Promise<Answer<"test-alert">> {
    return this.json({ method: "POST", path: ["alerts", alert, "test"], ...json(body), safe: true, options });
  }
}
