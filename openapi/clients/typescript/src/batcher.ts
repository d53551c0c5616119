import type { LogCalls } from "./api/logs.js";
import { encodeEvent, joined, type EncodedEvent, type EventInput } from "./encode.js";
import { TallyError } from "./errors.js";
import { randomHex } from "./json.js";
import { jitter, reasonOf, sleep } from "./time.js";

/** What a batcher is told; only `onFailure` must be. */
export interface BatcherOptions {
  /**
   * Is given the events of a log that will not be stored, and why: what the server refused, or, after `close`, what could not be sent in
   * time, of which the last batch of a log may have been stored all the same.
   */
  onFailure: (log: string, events: EventInput[], error: TallyError) => void;
  /** Events of a batch. Default: 1,000; at most 10,000. */
  maxEvents?: number | undefined;
  /** Bytes of a batch's events. Default: 1 MiB; at most 10 MiB. A larger event goes alone. */
  maxBytes?: number | undefined;
  /** Milliseconds that an event waits for others at most. Default: 100. */
  linger?: number | undefined;
  /** Bytes of events that are not acknowledged yet. Default: 16 MiB. */
  maxBuffer?: number | undefined;
  /** What `add` does while the buffer is full. Default: wait; `fail` throws the code `buffer_full`. */
  whenFull?: "wait" | "fail" | undefined;
}

interface Item extends EncodedEvent {
  event: EventInput;
  /** Counts calls of add. */
  ticket: number;
  /** When it was added, in ms. */
  at: number;
}

/** The events of one log that wait, in their order. */
interface Queue {
  log: string;
  items: Item[];
  bytes: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  sending: boolean;
}

const logsAtOnce = 8; // batches in flight; of one log it is one

/** Statuses by which a proxy says that the server did not answer: as good as a lost connection, since a batch has its key. */
const unanswered: readonly (number | undefined)[] = [408, 502, 503, 504];

/**
 * Collects events of any number of logs, and appends them in batches. Events of a log keep their order. Each event that was added is
 * acknowledged by the server, or given to `onFailure`: `flush` and `close` wait for that.
 */
export class Batcher {
  readonly #client: LogCalls;
  readonly #options: Required<{ [Name in keyof BatcherOptions]: NonNullable<BatcherOptions[Name]> }>;
  readonly #queues = new Map<string, Queue>();
  readonly #ready = new Set<Queue>();
  readonly #outstanding = new Set<number>(); // tickets, in their order
  readonly #abort = new AbortController();
  #sending = 0;
  #bytes = 0;
  #tickets = 0;
  #urgent = 0; // items up to this ticket do not linger
  #closed = false;
  #waiting: { item: Item; log: string; enter: () => void }[] = []; // for room, in their order
  #watchers: { ticket: number; resolve: () => void }[] = []; // for items up to their tickets

  /** @throws {RangeError} for a bound that no batch can have */
  constructor(client: LogCalls, options: BatcherOptions) {
    const {
      onFailure,
      maxEvents = 1000,
      maxBytes = 1 << 20,
      linger = 100,
      maxBuffer = 16 << 20,
      whenFull = "wait",
    } = options;
    if (!(maxEvents >= 1 && maxEvents <= 10_000)) throw new RangeError("maxEvents must be 1 to 10,000");
    if (!(maxBytes >= 1 && maxBytes <= 10 << 20)) throw new RangeError("maxBytes must be 1 to 10 MiB");
    if (!(maxBuffer >= 1 && linger >= 0)) throw new RangeError("maxBuffer must be positive, and linger not negative");
    this.#client = client;
    this.#options = { onFailure, maxEvents, maxBytes, linger, maxBuffer, whenFull };
  }

  /** How many events are neither acknowledged nor given to `onFailure`. */
  get pending(): number {
    return this.#outstanding.size;
  }

  /**
   * Adds an event; returns when there is room for it in the buffer. It is written as JSON at once: later changes of it do not count.
   *
   * @throws {TypeError} for what is no event
   * @throws {TallyError} `closed`, or `buffer_full` where `whenFull` is `fail`
   */
  async add(log: string, event: EventInput, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (this.#closed) throw new TallyError({ code: "closed", detail: "the batcher is closed: nothing can be added" });
    const item = { ...encodeEvent(event), event, ticket: ++this.#tickets, at: Date.now() };
    if (this.#waiting.length === 0 && this.#hasRoom(item)) {
      this.#outstanding.add(item.ticket);
      this.#enter(log, item);
      return;
    }
    if (this.#options.whenFull === "fail") {
      const detail = `${this.#bytes} bytes of events wait to be sent: add fewer at a time, or allow a larger maxBuffer`;
      throw new TallyError({ code: "buffer_full", detail });
    }
    this.#outstanding.add(item.ticket);
    await this.#room(log, item, options.signal);
  }

  /** Sends what was added, without lingering; returns when all of it is acknowledged or was given to `onFailure`. */
  async flush(): Promise<void> {
    const ticket = this.#tickets;
    this.#urgent = Math.max(this.#urgent, ticket);
    for (const queue of this.#queues.values()) this.#schedule(queue);
    if (!this.#isSettled(ticket)) await new Promise<void>((resolve) => this.#watchers.push({ ticket, resolve }));
  }

  /**
   * Flushes, and takes nothing more. What could not be sent within `deadline` ms (30,000) is given to `onFailure`, with the code
   * `deadline`.
   */
  async close({ deadline = 30_000 }: { deadline?: number | undefined } = {}): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#giveUp(deadline), deadline);
    await this.flush();
    clearTimeout(timer);
  }

  #hasRoom(item: Item): boolean {
    return this.#bytes === 0 || this.#bytes + item.bytes <= this.#options.maxBuffer;
  }

  #room(log: string, item: Item, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((waiting) => waiting.item !== item);
        this.#settle([item], 0);
        reject(reasonOf(signal));
      };
      if (signal?.aborted) return leave();
      signal?.addEventListener("abort", leave, { once: true });
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      this.#waiting.push({ item, log, enter });
    });
  }

  #enter(log: string, item: Item): void {
    let queue = this.#queues.get(log);
    if (!queue) this.#queues.set(log, (queue = { log, items: [], bytes: 0, timer: undefined, sending: false }));
    queue.items.push(item);
    queue.bytes += item.bytes;
    this.#bytes += item.bytes;
    this.#schedule(queue);
  }

  /** Has a queue send now, or once its first event has lingered. */
  #schedule(queue: Queue): void {
    const first = queue.items[0];
    if (queue.sending || first === undefined) return;
    const { maxEvents, maxBytes, linger } = this.#options;
    const left = first.at + linger - Date.now();
    if (queue.items.length >= maxEvents || queue.bytes >= maxBytes || first.ticket <= this.#urgent || left <= 0) {
      clearTimeout(queue.timer);
      queue.timer = undefined;
      this.#ready.add(queue);
      this.#send();
    } else {
      queue.timer ??= setTimeout(() => {
        queue.timer = undefined;
        this.#ready.add(queue);
        this.#send();
      }, left);
    }
  }

  #send(): void {
    for (const queue of this.#ready) {
      if (this.#sending >= logsAtOnce) return;
      this.#ready.delete(queue);
      this.#sending++;
      queue.sending = true;
      void this.#deliver(queue.log, this.#cut(queue)).then(() => {
        this.#sending--;
        queue.sending = false;
        if (queue.items.length === 0) this.#queues.delete(queue.log);
        this.#schedule(queue);
        this.#send();
      });
    }
  }

  /** Takes the events of the next batch. */
  #cut(queue: Queue): Item[] {
    let bytes = 0;
    let count = 0;
    for (const item of queue.items) {
      if (count >= this.#options.maxEvents || (count > 0 && bytes + item.bytes > this.#options.maxBytes)) break;
      bytes += item.bytes;
      count++;
    }
    queue.bytes -= bytes;
    return queue.items.splice(0, count);
  }

  /** Sends events until they are acknowledged or refused for good. Never throws. */
  async #deliver(log: string, items: Item[]): Promise<void> {
    // Fixed before the first try: event n of the batch is known by this key and n.
    const { body } = joined(items.map((item) => item.text));
    const idempotencyKey = randomHex();
    const { signal } = this.#abort;
    for (let tries = 0; ; tries++) {
      try {
        await this.#client.appendEvents(log, body, { idempotencyKey, signal });
        this.#settle(items);
        return;
      } catch (thrown) {
        const error = signal.aborted ? reasonOf(signal) : thrown;
        if (!(error instanceof TallyError)) {
          this.#fail(log, items, unexpected(error));
          return;
        }
        const comesAgain = error.transient || (unanswered.includes(error.status) && error.code !== "refused_by_guard");
        if (!comesAgain) return this.#refused(log, items, error);
        await sleep(1000 * (error.retryAfter ?? 0) + jitter(tries), signal).catch(() => undefined); // then the next try ends at once
      }
    }
  }

  /** Of a refused batch nothing was stored: what is not to blame is sent again, in other batches. */
  async #refused(log: string, items: Item[], error: TallyError): Promise<void> {
    const bad = error.line === undefined ? undefined : items[error.line - 1];
    if (bad !== undefined) {
      this.#fail(log, [bad], error);
      for (const others of partsAround(items, items.indexOf(bad), error)) await this.#deliver(log, others);
      return;
    }
    if (error.status !== 413 || items.length === 1) {
      this.#fail(log, items, error);
      return;
    }
    const allowed = Number(error.problem["events"]); // of append_too_costly
    const most = allowed >= 1 && allowed < items.length ? allowed : Math.ceil(items.length / 2);
    for (let n = 0; n < items.length; n += most) await this.#deliver(log, items.slice(n, n + most));
  }

  #fail(log: string, items: Item[], error: TallyError): void {
    if (items.length === 0) return;
    try {
      this.#options.onFailure(
        log,
        items.map((item) => item.event),
        error,
      );
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown; // uncaught, as it is its author's to see; the other events are sent all the same
      });
    }
    this.#settle(items);
  }

  #settle(items: Item[], bytes = items.reduce((sum, item) => sum + item.bytes, 0)): void {
    this.#bytes -= bytes;
    for (const item of items) this.#outstanding.delete(item.ticket);
    this.#watchers = this.#watchers.filter(({ ticket, resolve }) => {
      if (!this.#isSettled(ticket)) return true;
      resolve();
      return false;
    });
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.item); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.enter();
      this.#enter(next.log, next.item);
    }
  }

  /** Whether everything up to a ticket is acknowledged or reported. */
  #isSettled(ticket: number): boolean {
    const { value } = this.#outstanding.values().next();
    return value === undefined || value > ticket;
  }

  #giveUp(deadline: number): void {
    const detail = `it could not be sent within ${deadline / 1000} s of closing; a batch that was under way may have been stored`;
    const error = new TallyError({ code: "deadline", detail });
    for (const { item, log } of this.#waiting.splice(0)) this.#enter(log, item); // they are reported with the others
    for (const queue of this.#queues.values()) {
      clearTimeout(queue.timer);
      this.#ready.delete(queue);
      queue.bytes = 0;
      this.#fail(queue.log, queue.items.splice(0), error);
    }
    this.#abort.abort(error);
  }
}

function unexpected(error: unknown): TallyError {
  return new TallyError({ code: "unexpected", detail: `sending failed: ${String(error)}` }, { cause: error });
}

/**
 * What is left of a batch without the item that was refused, in order. A guard may refuse all that follow, too: where each is named by
 * itself, halves send none more often than there are halvings.
 */
function partsAround<T>(items: T[], at: number, error: TallyError): T[][] {
  const before = items.slice(0, at);
  const after = items.slice(at + 1);
  const half = Math.floor(after.length / 2);
  const parts =
    error.code === "refused_by_guard" ? [before, after.slice(0, half), after.slice(half)] : [[...before, ...after]];
  return parts.filter((part) => part.length > 0);
}
