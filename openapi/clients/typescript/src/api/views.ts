import { type CallOptions, parametersOf } from "../options.js";
import type { Reply } from "../transport.js";
import type { Answer, Input, Message, Parameters, Question, ViewAnswer } from "../types.js";
import { json, LogCalls, type StreamOptions } from "./logs.js";

/** Operations on modules, views and patterns of views. */
export abstract class ViewCalls extends LogCalls {
  /**
   * Deploys a view on a log: a ready one, `{ ready: "meter", config: {…} }`, or a module that the server has, `{ module: "<SHA-256>" }`.
   * Answers when it is live, or after about two seconds with the status `building`. The same deployment again changes nothing.
   */
  deployView(
    log: string,
    view: string,
    deployment: Input<"deploy-view">,
    options: CallOptions = {},
  ): Promise<Answer<"deploy-view">> {
    return this.json({ method: "POST", path: ["logs", log, "views", view], ...json(deployment), safe: true, options });
  }

  /** The version of a view that answers queries, with `successor` while a newer one is being built. */
  getView(log: string, view: string, options: CallOptions = {}): Promise<Answer<"get-view">> {
    return this.json({ method: "GET", path: ["logs", log, "views", view], safe: true, options });
  }

  /** The views of a log. */
  listViews(log: string, options: CallOptions = {}): Promise<Answer<"list-views">> {
    return this.json({
      method: "GET",
      path: ["logs", log, "views"],
      query: parametersOf(options),
      safe: true,
      options,
    });
  }

  /**
   * A page of the versions of views of all logs, by log, view and version. Those that are halted or building,
   * `{ status: "halted,building" }`, are found at once. All of them: {@link Tally.viewStates}.
   */
  listViewStates(options: Parameters<"list-view-states"> & CallOptions = {}): Promise<Answer<"list-view-states">> {
    return this.json({ method: "GET", path: ["view-states"], query: parametersOf(options), safe: true, options });
  }

  /** A page of a view's versions, newest first, retired ones too. All of them: {@link Tally.viewVersions}. */
  listViewVersions(
    log: string,
    view: string,
    options: Parameters<"list-view-versions"> & CallOptions = {},
  ): Promise<Answer<"list-view-versions">> {
    const query = parametersOf(options);
    return this.json({ method: "GET", path: ["logs", log, "views", view, "versions"], query, safe: true, options });
  }

  /** Asks a view. Its answer reflects every event that was acknowledged before. */
  async queryView<T = unknown>(
    log: string,
    view: string,
    question: Question = {},
    options: CallOptions = {},
  ): Promise<ViewAnswer<T>> {
    const path = ["logs", log, "views", view, "query"];
    const reply = await this.send({ method: "GET", path, query: question, safe: true, options });
    return this.#answer<T>(reply);
  }

  #answer<T>({ headers, text }: Reply): ViewAnswer<T> {
    const contentType = (headers.get("Content-Type") ?? "").replace(/;.*/s, "").trim();
    const answer = contentType === "application/json" ? this.decode<T>(text) : (text as T);
    return { answer, sequence: Number(headers.get("Tally-Sequence")), text, contentType };
  }

  /** The messages of one connection to a view's answer, until the server ends it. Answers, without end: {@link Tally.watch}. */
  watchView(
    log: string,
    view: string,
    question: Question = {},
    options: StreamOptions = {},
  ): AsyncGenerator<Message, void, undefined> {
    return this.messages(["logs", log, "views", view, "live"], question, options);
  }

  /** Takes a halted version on, over the same event again or without it. Never sent again by itself. */
  resumeView(
    log: string,
    view: string,
    body: Input<"resume-view"> = {},
    options: CallOptions = {},
  ): Promise<Answer<"resume-view">> {
    return this.json({
      method: "POST",
      path: ["logs", log, "views", view, "resume"],
      ...json(body),
      safe: false,
      options,
    });
  }

  /** Makes an earlier version live again. Never sent again by itself. */
  rollbackView(
    log: string,
    view: string,
    body: Input<"rollback-view">,
    options: CallOptions = {},
  ): Promise<Answer<"rollback-view">> {
    return this.json({
      method: "POST",
      path: ["logs", log, "views", view, "rollback"],
      ...json(body),
      safe: false,
      options,
    });
  }

  /** Ends all versions of a view. Never sent again by itself. */
  async retireView(log: string, view: string, options: CallOptions = {}): Promise<void> {
    await this.send({ method: "DELETE", path: ["logs", log, "views", view], safe: false, options });
  }

  /** Folds the log's events again and compares. Takes as long as that takes; never sent again by itself. */
  auditView(
    log: string,
    view: string,
    options: Parameters<"audit-view"> & CallOptions = {},
  ): Promise<Answer<"audit-view">> {
    const query = parametersOf(options);
    return this.json({
      method: "POST",
      path: ["logs", log, "views", view, "audit"],
      query,
      safe: false,
      long: true,
      options,
    });
  }

  /**
   * Tries a view on a log's last events, as {@link deployView} would deploy it, and asks it a question. Stores nothing; what a deploy would
   * refuse is refused. Takes up to a minute or so.
   */
  previewView(
    log: string,
    view: string,
    preview: Input<"preview-view">,
    options: CallOptions = {},
  ): Promise<Answer<"preview-view">> {
    return this.json({
      method: "POST",
      path: ["logs", log, "views", view, "preview"],
      ...json(preview),
      safe: true,
      long: true,
      options,
    });
  }

  /** Deploys a view on every log whose name matches `logs` (`customer-*`), now and later. See {@link deployView}. */
  deployViewPattern(
    view: string,
    deployment: Input<"deploy-view-pattern">,
    options: Parameters<"deploy-view-pattern"> & CallOptions = {},
  ): Promise<Answer<"deploy-view-pattern">> {
    return this.json({
      method: "POST",
      path: ["views", view],
      query: parametersOf(options),
      ...json(deployment),
      safe: true,
      options,
    });
  }

  /** A view that is deployed on a pattern, and how its logs stand. */
  getViewPattern(view: string, options: CallOptions = {}): Promise<Answer<"get-view-pattern">> {
    return this.json({ method: "GET", path: ["views", view], safe: true, options });
  }

  /** The views that are deployed on patterns. */
  listViewPatterns(options: CallOptions = {}): Promise<Answer<"list-view-patterns">> {
    return this.json({ method: "GET", path: ["views"], safe: true, options });
  }

  /** Retires a view where it came from its pattern; with `keep` only later logs are without it. Never sent again by itself. */
  retireViewPattern(
    view: string,
    options: Parameters<"retire-view-pattern"> & CallOptions = {},
  ): Promise<Answer<"retire-view-pattern">> {
    return this.json({ method: "DELETE", path: ["views", view], query: parametersOf(options), safe: false, options });
  }

  /** Uploads a module, of at most 4 MiB, under its SHA-256 in hexadecimal. See {@link Tally.uploadModule}. */
  putModule(sha256: string, module: Uint8Array, options: CallOptions = {}): Promise<Answer<"put-module">> {
    const contentType = "application/wasm";
    return this.json({ method: "PUT", path: ["modules", sha256], body: module, contentType, safe: true, options });
  }

  /** What the server knows of a module; its code is `module_not_found` where it has none of that hash. */
  getModule(sha256: string, options: CallOptions = {}): Promise<Answer<"get-module">> {
    return this.json({ method: "GET", path: ["modules", sha256], safe: true, options });
  }

  /** A page of the tenant's modules, by SHA-256. All of them: {@link Tally.modules}. */
  listModules(options: Parameters<"list-modules"> & CallOptions = {}): Promise<Answer<"list-modules">> {
    return this.json({ method: "GET", path: ["modules"], query: parametersOf(options), safe: true, options });
  }

  /** The views that come with the server, and what their configurations may say. */
  listReadyViews(options: CallOptions = {}): Promise<Answer<"list-ready-views">> {
    return this.json({ method: "GET", path: ["ready-views"], safe: true, options });
  }
}
