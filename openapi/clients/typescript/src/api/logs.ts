import type { TallyError } from "../errors.js";
import { type EventInput, encodeBatch, encodeEvent, hasId } from "../encode.js";
import { randomHex, stringifyExact } from "../json.js";
import { type CallOptions, parametersOf, type Query } from "../options.js";
import { pageOf, storedEvent, type EventPage } from "../stored.js";
import { readMessages } from "../sse.js";
import { Transport } from "../transport.js";
import type { Answer, Appended, AppendedBatch, Input, Message, Parameters, StoredEvent } from "../types.js";

/** Options of appends. */
export interface AppendOptions extends CallOptions {
  /**
   * Makes the append safe to send again, for ever: at most 512 bytes. Default: a random one, for this call's own retries. It counts for
   * events without an `id`; in a batch, event n (from 0) gets it with `:n` added.
   */
  idempotencyKey?: string | undefined;
  /** Append only if the log's last sequence is this one (0: if it is empty); else the error's code is `sequence_mismatch`. */
  expectedSequence?: number | undefined;
  /** Ask what would happen: the answer, or the error, is that of the append, and nothing is stored. */
  dryRun?: boolean | undefined;
}

/** Options of streams. */
export interface StreamOptions extends CallOptions {
  /** Milliseconds without a byte after which the stream fails; as for the client. */
  silence?: number | undefined;
  /** The id of the last message that was received. */
  lastEventId?: string | undefined;
}

/** Options of streams that come back by themselves. */
export interface FollowOptions extends StreamOptions {
  /** Called with each reason why nothing comes for a while: a connection that was lost, a server that stops. */
  onTrouble?: ((error: TallyError) => void) | undefined;
}

/** Operations on logs and their events. */
export abstract class LogCalls extends Transport {
  /** Creates a log. Never sent again by itself: see {@link ensureLog}. */
  createLog(log: Input<"create-log">, options: CallOptions = {}): Promise<Answer<"create-log">> {
    return this.json({ method: "POST", path: ["logs"], ...json(log), safe: false, options });
  }

  /**
   * Makes sure that there is a log of this name, and answers it.
   *
   * @throws {TallyError} `name_taken` where it has other labels than those that were asked for
   */
  ensureLog(log: string, body: Input<"ensure-log"> = {}, options: CallOptions = {}): Promise<Answer<"ensure-log">> {
    return this.json({ method: "PUT", path: ["logs", log], ...json(body), safe: true, options });
  }

  /** A log and its head: last sequence, hash of everything up to it. */
  getLog(log: string, options: CallOptions = {}): Promise<Answer<"get-log">> {
    return this.json({ method: "GET", path: ["logs", log], safe: true, options });
  }

  /** A page of logs, by name or by activity, `{ sort: "activity" }`. All of them: {@link Tally.logs}. */
  listLogs(options: Parameters<"list-logs"> & CallOptions = {}): Promise<Answer<"list-logs">> {
    return this.json({ method: "GET", path: ["logs"], query: parametersOf(options), safe: true, options });
  }

  /**
   * Appends one event. When it answers, the event is durable, and counted by every view of the log. Sent again as often as it takes, it
   * counts once.
   */
  async appendEvent(log: string, event: EventInput, options: AppendOptions = {}): Promise<Appended> {
    const encoded = encodeEvent(event);
    const reply = await this.send({
      method: "POST",
      path: ["logs", log, "append"],
      query: { dry_run: options.dryRun },
      headers: appendHeaders(options),
      body: encoded.text,
      contentType: "application/json",
      safe: true,
      options,
    });
    const answer = this.decode<Appended>(reply.text);
    if (answer.duplicate && options.idempotencyKey === undefined && reply.tries > 1 && !hasId(encoded.text))
      answer.duplicate = false;
    return answer;
  }

  /**
   * Appends many events, in their order, all or none: at most 10,000, and 10 MiB. Text or bytes are a whole batch: events in lines, or an
   * array.
   */
  async appendEvents(
    log: string,
    events: readonly EventInput[] | string | Uint8Array,
    options: AppendOptions = {},
  ): Promise<AppendedBatch> {
    const batch = encodeBatch(events);
    const reply = await this.send({
      method: "POST",
      path: ["logs", log, "append_batch"],
      query: { dry_run: options.dryRun },
      headers: appendHeaders(options),
      body: batch.body,
      contentType: batch.contentType,
      safe: true,
      options,
    });
    const answer = this.decode<AppendedBatch>(reply.text);
    if (options.idempotencyKey === undefined && reply.tries > 1) {
      const others = answer.duplicates.filter(({ line }) => {
        const event = batch.texts()[line - 1];
        return event === undefined || hasId(event);
      });
      answer.appended += answer.duplicates.length - others.length;
      answer.duplicates = others;
    }
    return answer;
  }

  /** A page of a log's events. All of them: {@link Tally.events}. */
  async listEvents(log: string, options: EventFilter & CallOptions = {}): Promise<EventPage> {
    const query = { ...parametersOf(options), format: "json" };
    const { text } = await this.send({ method: "GET", path: ["logs", log, "events"], query, safe: true, options });
    this.decode(text); // or it is no JSON
    return pageOf(text);
  }

  /** One event. */
  async getEvent(log: string, sequence: number, options: CallOptions = {}): Promise<StoredEvent> {
    const { text } = await this.send({ method: "GET", path: ["logs", log, "events", sequence], safe: true, options });
    this.decode(text);
    return storedEvent(text);
  }

  /**
   * How an event was counted, by each view of the log, or by the one that `view` names. The log is folded again up to the event: on a long
   * one that takes up to a minute or so.
   */
  explainEvent(
    log: string,
    sequence: number,
    options: Parameters<"explain-event"> & CallOptions = {},
  ): Promise<Answer<"explain-event">> {
    return this.json({
      method: "GET",
      path: ["logs", log, "events", sequence, "explanation"],
      query: parametersOf(options),
      safe: true,
      long: true,
      options,
    });
  }

  /** The messages of one connection to a log's tail, until the server ends it. Events, without end: {@link Tally.tail}. */
  tailEvents(
    log: string,
    options: Parameters<"tail-events"> & StreamOptions = {},
  ): AsyncGenerator<Message, void, undefined> {
    return this.messages(["logs", log, "tail"], parametersOf(options), options);
  }

  /** Reads the log again and checks its chain and views. Takes as long as that takes. */
  verifyLog(log: string, options: Parameters<"verify-log"> & CallOptions = {}): Promise<Answer<"verify-log">> {
    const query = parametersOf(options);
    return this.json({ method: "GET", path: ["logs", log, "verify"], query, safe: true, long: true, options });
  }

  /** The log's head, signed: a note. */
  async getCheckpoint(log: string, options: CallOptions = {}): Promise<string> {
    return (await this.send({ method: "GET", path: ["logs", log, "checkpoint"], safe: true, options })).text;
  }

  /** The public key that checkpoints are verified with. */
  async getCheckpointKey(options: CallOptions = {}): Promise<string> {
    return (await this.send({ method: "GET", path: ["checkpoint-key"], safe: true, options })).text;
  }

  /** The messages of one stream. */
  protected messages(path: string[], query: Query, options: StreamOptions): AsyncGenerator<Message, void, undefined> {
    const { lastEventId, silence } = options;
    const headers = { Accept: "text/event-stream", "Last-Event-ID": lastEventId };
    return readMessages(this.open({ method: "GET", path, query, headers, safe: true, options, silence }), lastEventId);
  }
}

/** Which events are read. */
export type EventFilter = Omit<Parameters<"list-events">, "format" | "csv" | "stream">;

function appendHeaders(options: AppendOptions): Record<string, string | undefined> {
  return {
    "Idempotency-Key": options.idempotencyKey ?? randomHex(),
    "Expected-Sequence": options.expectedSequence?.toString(),
  };
}

/** A body of JSON. */
export function json(value: unknown): { body: string; contentType: string } {
  return { body: stringifyExact(value), contentType: "application/json" };
}
