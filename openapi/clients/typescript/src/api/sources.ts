import { stringifyExact } from "../json.js";
import { type CallOptions, parametersOf } from "../options.js";
import type { Body, Call } from "../transport.js";
import type { Answer, Input, Parameters } from "../types.js";
import { json } from "./logs.js";
import { ViewCalls } from "./views.js";

/** Options of deliveries. */
export interface SendOptions extends CallOptions {
  /** Identifies the lines that have no identity: line n, from 0, gets it with `:n` added. None is made up: see the source's mapping. */
  idempotencyKey?: string | undefined;
  /** What a body of text or bytes is. Default: `application/json`; `application/x-protobuf` for bytes of OpenTelemetry. */
  contentType?: string | undefined;
}

/** What is sent to a source: an object, an array, or text or bytes that are sent as they are. */
export type Records = object | string | Uint8Array;

/** Operations on sources, and what they are sent. A source knows a record by its identity, so that all may be sent again. */
export abstract class SourceCalls extends ViewCalls {
  /** Sends records to a source, which makes events of them. Answers when they are durable; `rejected` counts what could not be stored. */
  sendEvents(source: string, records: Records, options: SendOptions = {}): Promise<Answer<"send-events">> {
    return this.json(delivery(source, ["events"], records, options));
  }

  /** Sends CloudEvents, as clients of OpenMeter do. */
  async sendOpenmeterEvents(source: string, events: Records, options: SendOptions = {}): Promise<void> {
    const plural = Array.isArray(events) ? "application/cloudevents-batch+json" : "application/cloudevents+json";
    await this.send(delivery(source, ["api", "v1", "events"], events, { contentType: plural, ...options }));
  }

  /** Sends logs by OTLP/HTTP: JSON, or bytes of protobuf, which are answered in bytes. `partialSuccess` counts what was rejected. */
  sendOtlpLogs<T extends Records>(source: string, request: T, options: SendOptions = {}): Promise<OtlpAnswer<T>> {
    return this.#sendOtlp(["v1", "logs"], source, request, options);
  }

  /** Sends traces by OTLP/HTTP: JSON, or bytes of protobuf, which are answered in bytes. `partialSuccess` counts what was rejected. */
  sendOtlpTraces<T extends Records>(source: string, request: T, options: SendOptions = {}): Promise<OtlpAnswer<T>> {
    return this.#sendOtlp(["v1", "traces"], source, request, options);
  }

  async #sendOtlp<T extends Records>(
    path: string[],
    source: string,
    request: T,
    options: SendOptions,
  ): Promise<OtlpAnswer<T>> {
    const contentType = request instanceof Uint8Array ? "application/x-protobuf" : "application/json";
    const reply = await this.send(delivery(source, path, request, { contentType, ...options }));
    return (request instanceof Uint8Array ? reply.bytes : this.decode(reply.text)) as OtlpAnswer<T>;
  }

  /** Says what a source makes of what it is sent. The same mapping again changes nothing. */
  putSource(source: string, mapping: Input<"put-source">, options: CallOptions = {}): Promise<Answer<"put-source">> {
    return this.json({ method: "PUT", path: ["sources", source], ...json(mapping), safe: true, options });
  }

  /** What a source does; `version` for an earlier one. */
  getSource(source: string, options: Parameters<"get-source"> & CallOptions = {}): Promise<Answer<"get-source">> {
    return this.json({ method: "GET", path: ["sources", source], query: parametersOf(options), safe: true, options });
  }

  /** A page of sources, by name. All of them: {@link Tally.sources}. */
  listSources(options: Parameters<"list-sources"> & CallOptions = {}): Promise<Answer<"list-sources">> {
    return this.json({ method: "GET", path: ["sources"], query: parametersOf(options), safe: true, options });
  }

  /** A page of a source's versions, newest first. All of them: {@link Tally.sourceVersions}. */
  listSourceVersions(
    source: string,
    options: Parameters<"list-source-versions"> & CallOptions = {},
  ): Promise<Answer<"list-source-versions">> {
    return this.json({
      method: "GET",
      path: ["sources", source, "versions"],
      query: parametersOf(options),
      safe: true,
      options,
    });
  }

  /** The mappings that come with the server. */
  listReadySources(options: CallOptions = {}): Promise<Answer<"list-ready-sources">> {
    return this.json({ method: "GET", path: ["ready-sources"], safe: true, options });
  }

  /** Shows what a source would make of records, and stores nothing. */
  testSource(
    source: string,
    records: Records,
    options: Parameters<"test-source"> & Omit<SendOptions, "idempotencyKey"> = {},
  ): Promise<Answer<"test-source">> {
    return this.json({ ...delivery(source, ["test"], records, options), query: parametersOf(options) });
  }

  /** Maps rejects again, and stores what maps now. Takes as long as that takes; never sent again by itself. */
  replaySource(
    source: string,
    body: Input<"replay-source"> = {},
    options: CallOptions = {},
  ): Promise<Answer<"replay-source">> {
    return this.json({
      method: "POST",
      path: ["sources", source, "replay"],
      ...json(body),
      safe: false,
      long: true,
      options,
    });
  }

  /** Deletes a source: what is sent to it is refused. */
  async deleteSource(source: string, options: CallOptions = {}): Promise<void> {
    await this.send({ method: "DELETE", path: ["sources", source], safe: true, options });
  }
}

/** What an OTLP request is answered: bytes where it was bytes. */
export type OtlpAnswer<T> = T extends Uint8Array
  ? Uint8Array
  : {
      partialSuccess?: { rejectedLogRecords?: string | number; rejectedSpans?: string | number; errorMessage?: string };
    };

function delivery(source: string, path: string[], records: Records, options: SendOptions): Call {
  const body: Body = typeof records === "string" || records instanceof Uint8Array ? records : stringifyExact(records);
  return {
    method: "POST",
    path: ["sources", source, ...path],
    headers: { "Idempotency-Key": options.idempotencyKey },
    body,
    contentType: options.contentType ?? "application/json",
    safe: true,
    options,
  };
}
