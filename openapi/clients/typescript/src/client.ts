import { AlertCalls } from "./api/alerts.js";
import type { EventFilter, FollowOptions } from "./api/logs.js";
import { Batcher, type BatcherOptions } from "./batcher.js";
import { problemOf, TallyError } from "./errors.js";
import { follow } from "./follow.js";
import type { CallOptions, TallyOptions } from "./options.js";
import { parseExact } from "./json.js";
import { items } from "./pages.js";
import { storedEvent } from "./stored.js";
import type { Answer, Input, OperationId, Parameters, Question, StoredEvent, WatchedAnswer } from "./types.js";

/** Where a tail begins, and what it has. */
export type TailOptions = Parameters<"tail-events"> & FollowOptions;

/** Which items of a list, and how it is called. */
export type ListOptions<Id extends OperationId> = Omit<Parameters<Id>, "cursor"> & CallOptions;

/**
 * A client of one server. It holds no connection of its own: there is nothing to close, and it may be used by any number of callers.
 *
 * ```ts
 * const tally = new Tally(); // TALLY_URL and TALLY_KEY
 * await tally.ensureLog("customer-acme");
 * await tally.appendEvent("customer-acme", { type: "api.call", tokens: 150 });
 * ```
 *
 * Every method throws a {@link TallyError} where the server refuses or is not reached, and the reason of its `signal` where that ends it.
 */
export class Tally extends AlertCalls {
  readonly #deadline: number;

  /** @throws {RangeError} for a URL or key that is none */
  constructor(options: TallyOptions = {}) {
    super(options);
    this.#deadline = options.deadline ?? 60_000;
  }

  /** The events of a log, over all pages, up to its head. */
  events(
    log: string,
    filter: Omit<EventFilter, "cursor"> & CallOptions = {},
  ): AsyncGenerator<StoredEvent, void, undefined> {
    return items(
      (cursor) => this.listEvents(log, { ...filter, ...cursor }),
      (page) => page.events,
    );
  }

  /** All logs, by name or by activity. */
  logs(filter: ListOptions<"list-logs"> = {}) {
    return items(
      (cursor) => this.listLogs({ ...filter, ...cursor }),
      (page) => page.logs,
    );
  }

  /** The versions of views of all logs, by log, view and version. */
  viewStates(filter: ListOptions<"list-view-states"> = {}) {
    return items(
      (cursor) => this.listViewStates({ ...filter, ...cursor }),
      (page) => page.views,
    );
  }

  /** All versions of a view, newest first. */
  viewVersions(log: string, view: string, filter: ListOptions<"list-view-versions"> = {}) {
    return items(
      (cursor) => this.listViewVersions(log, view, { ...filter, ...cursor }),
      (page) => page.versions,
    );
  }

  /** All modules of the tenant, by SHA-256. */
  modules(filter: ListOptions<"list-modules"> = {}) {
    return items(
      (cursor) => this.listModules({ ...filter, ...cursor }),
      (page) => page.modules,
    );
  }

  /** All sources, by name. */
  sources(filter: ListOptions<"list-sources"> = {}) {
    return items(
      (cursor) => this.listSources({ ...filter, ...cursor }),
      (page) => page.sources,
    );
  }

  /** All versions of a source, newest first. */
  sourceVersions(source: string, filter: ListOptions<"list-source-versions"> = {}) {
    return items(
      (cursor) => this.listSourceVersions(source, { ...filter, ...cursor }),
      (page) => page.versions,
    );
  }

  /** All keys, by id, revoked ones too. */
  keys(filter: ListOptions<"list-keys"> = {}) {
    return items(
      (cursor) => this.listKeys({ ...filter, ...cursor }),
      (page) => page.keys,
    );
  }

  /** All tenants, by name. */
  tenants(filter: ListOptions<"list-tenants"> = {}) {
    return items(
      (cursor) => this.listTenants({ ...filter, ...cursor }),
      (page) => page.tenants,
    );
  }

  /** What was done in the tenant, newest first. */
  auditLog(filter: ListOptions<"list-audit-log"> = {}) {
    return items(
      (cursor) => this.listAuditLog({ ...filter, ...cursor }),
      (page) => page.entries,
    );
  }

  /** All alerts, by name. */
  alerts(filter: ListOptions<"list-alerts"> = {}) {
    return items(
      (cursor) => this.listAlerts({ ...filter, ...cursor }),
      (page) => page.alerts,
    );
  }

  /** What of an alert has fired or was resolved, newest first. */
  crossings(alert: string, filter: ListOptions<"list-crossings"> = {}) {
    return items(
      (cursor) => this.listCrossings(alert, { ...filter, ...cursor }),
      (page) => page.crossings,
    );
  }

  /** All webhooks, in the order in which they were made. */
  webhooks(filter: ListOptions<"list-webhooks"> = {}) {
    return items(
      (cursor) => this.listWebhooks({ ...filter, ...cursor }),
      (page) => page.webhooks,
    );
  }

  /** All deliveries of a webhook, newest first. */
  deliveries(webhook: string, filter: ListOptions<"list-deliveries"> = {}) {
    return items(
      (cursor) => this.listDeliveries(webhook, { ...filter, ...cursor }),
      (page) => page.deliveries,
    );
  }

  /**
   * The events of a log as they are committed, without end: each once, in order, over all breaks of the connection. They begin after
   * `after`; without it after the log's head. Leave the loop, or abort the signal, to end it.
   */
  async *tail(log: string, options: TailOptions = {}): AsyncGenerator<StoredEvent, void, undefined> {
    const connect = (lastEventId: string | undefined) => this.tailEvents(log, { ...options, lastEventId });
    for await (const message of follow(connect, options, options.deadline ?? this.#deadline)) {
      if (message.event === "event") yield storedEvent(message.data);
    }
  }

  /**
   * What a view answers: at once, and again whenever that changes, at most ten times a second. It goes on over all breaks. While the view
   * cannot answer, as when it is halted, there is a `problem` instead.
   */
  async *watch<T = unknown>(
    log: string,
    view: string,
    question: Question = {},
    options: FollowOptions = {},
  ): AsyncGenerator<WatchedAnswer<T>, void, undefined> {
    const connect = (lastEventId: string | undefined) =>
      this.watchView(log, view, question, { ...options, lastEventId });
    let last: string | undefined;
    for await (const { id, event, data } of follow(connect, options, options.deadline ?? this.#deadline)) {
      if ((event !== "answer" && event !== "problem") || last === event + data) continue;
      last = event + data;
      const told = { sequence: Number(id), text: data };
      yield event === "answer" ? { ...told, answer: answerOf(data) as T } : { ...told, problem: problemOf(data) };
    }
  }

  /** Collects events of any number of logs and appends them in batches. Close it, or events that wait are lost with the process. */
  batcher(options: BatcherOptions): Batcher {
    return new Batcher(this, options);
  }

  /**
   * Deploys a module of one's own on a log: uploads it, where the server does not have it, and deploys it.
   *
   * @param module the `.wasm` file's bytes, at most 4 MiB
   */
  async deployModule(
    log: string,
    view: string,
    module: Uint8Array,
    deployment: Omit<Input<"deploy-view">, "module" | "ready"> = {},
    options: CallOptions = {},
  ): Promise<Answer<"deploy-view">> {
    const sha256 = await this.uploadModule(module, options);
    return this.deployView(log, view, { ...deployment, module: sha256 }, options);
  }

  /**
   * Deploys a module of one's own on every log whose name matches `logs` (`customer-*`), now and later: see {@link deployModule} and
   * {@link deployViewPattern}.
   *
   * @param module the `.wasm` file's bytes, at most 4 MiB
   */
  async deployModulePattern(
    view: string,
    module: Uint8Array,
    deployment: Omit<Input<"deploy-view-pattern">, "module" | "ready"> = {},
    options: Parameters<"deploy-view-pattern"> & CallOptions = {},
  ): Promise<Answer<"deploy-view-pattern">> {
    const sha256 = await this.uploadModule(module, options);
    return this.deployViewPattern(view, { ...deployment, module: sha256 }, options);
  }

  /** Uploads a module, unless the server has it, and answers its SHA-256 in hexadecimal. Pages need TLS for it, or localhost. */
  async uploadModule(module: Uint8Array, options: CallOptions = {}): Promise<string> {
    const digest = await crypto.subtle.digest("SHA-256", module as BufferSource);
    const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    try {
      await this.getModule(sha256, options);
    } catch (error) {
      if (!(error instanceof TallyError) || error.code !== "module_not_found") throw error;
      await this.putModule(sha256, module, options);
    }
    return sha256;
  }
}

/** A view's answer, which is text where it is no JSON. */
function answerOf(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}
