import type { StoredEvent, Tally } from "@tallystick/client";
import { signal } from "@preact/signals";
import { asked, isInTime, isSparse, type Filter } from "./filter";
import { rowOf, type Row } from "./row";

/** How many events the page keeps; beyond it those of the far end go, and come again when they are scrolled to. */
export const mostKept = 20_000;
const pageSize = 500; // events of a request
const textPageSize = 2_000; // likewise, where the page itself searches for a text
const textStep = 10_000; // events that are searched before the viewer is asked whether to go on
const enough = 100; // rows that one step looks for
const leastWindow = 8; // sequences; so many events of 1 MiB are one answer
const mostWindow = 1_000_000; // sequences; the server looks at no more for one request

let made = 0;

/**
 * The events of a log around some place, as far as they have been looked at: all that match between two sequences. It grows at either end,
 * and by what the log's tail has, and holds a bounded number.
 */
export class Feed {
  /** Rises with each change of what is shown. */
  readonly version = signal(0);
  /** What matches, from the oldest to the newest. */
  rows: Row[] = [];
  /** All sequences from low to high have been looked at. */
  low: number;
  high: number;
  /** Events that were received by this feed from the tail. */
  received = 0;
  /** Whether the tail moves the newer end: then that end stays, and older events are shown as far as there is room. */
  tailed = false;
  readonly id = ++made;
  #window: number;
  readonly #limit: number;
  #pending: Row[] = [];
  #frame = 0;

  /** A feed that begins after a sequence, which may be 0. */
  constructor(
    readonly log: string,
    readonly filter: Filter,
    after: number,
  ) {
    this.low = after + 1;
    this.high = after;
    this.#limit = filter.text === "" ? pageSize : textPageSize;
    this.#window = this.#limit;
  }

  /** Whether there is nothing before what has been looked at. */
  get oldestReached(): boolean {
    return this.low <= this.filter.from;
  }

  /** Whether there is nothing after it, in a log whose last sequence is head. */
  newestReached(head: number): boolean {
    return this.high >= Math.min(head, this.filter.to);
  }

  /** Looks at older events until there are some rows more. */
  async older(tally: Tally, ending: AbortSignal): Promise<void> {
    const goal = this.#goal();
    while (!this.oldestReached && goal.isFar() && !this.#isFull()) {
      const before = this.low;
      const first = Math.max(this.filter.from, before - this.#window);
      const { events, complete } = await this.#read(tally, first, before - 1, ending);
      if (this.low !== before) return; // the tail has made room for newer ones
      if (!complete) {
        this.#window = Math.max(leastWindow, this.#window >> 2);
        continue;
      }
      goal.looked += before - first;
      this.low = first;
      this.#grow(events.length);
      const rows = this.#rowsOf(events);
      goal.found += rows.length;
      this.rows = [...rows, ...this.rows];
      if (this.rows.length > mostKept && !this.tailed) {
        this.rows.length = mostKept;
        this.high = this.rows.at(-1)?.sequence ?? this.high;
      }
      this.version.value++;
    }
  }

  /** Looks at newer events, up to head, until there are some rows more. */
  async newer(tally: Tally, head: number, ending: AbortSignal): Promise<void> {
    const goal = this.#goal();
    const end = Math.min(head, this.filter.to);
    while (this.high < end && goal.isFar()) {
      const before = this.high;
      const last = Math.min(end, before + this.#window);
      const { events, complete } = await this.#read(tally, before + 1, last, ending);
      if (this.high !== before) return; // the tail has gone on
      const reached = complete ? last : (events.at(-1)?.sequence ?? before);
      goal.looked += reached - before;
      this.high = reached;
      this.#grow(events.length);
      const rows = this.#rowsOf(events);
      goal.found += rows.length;
      this.#add(rows);
    }
  }

  /** Takes an event of the tail. It is shown with the next frame, together with whatever came until then. */
  take(event: StoredEvent): void {
    if (event.sequence <= this.high) return;
    this.high = event.sequence;
    this.received++;
    const row = isInTime(this.filter, event) ? rowOf(event, this.filter.text) : undefined;
    if (row) this.#pending.push(row);
    if (this.#pending.length > mostKept) {
      this.#pending.splice(0, this.#pending.length - mostKept);
      this.low = this.#pending[0]?.sequence ?? this.low;
      this.rows = [];
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    this.#frame = 0;
    const rows = this.#pending;
    this.#pending = [];
    this.#add(rows);
  }

  #add(rows: readonly Row[]): void {
    this.rows = [...this.rows, ...rows];
    if (this.rows.length > mostKept) {
      this.rows = this.rows.slice(-mostKept);
      this.low = this.rows[0]?.sequence ?? this.low;
    }
    this.version.value++;
  }

  #isFull(): boolean {
    return this.tailed && this.rows.length >= mostKept;
  }

  #rowsOf(events: readonly StoredEvent[]): Row[] {
    return events.flatMap((event) => rowOf(event, this.filter.text) ?? []);
  }

  /** When a step has done its work. */
  #goal() {
    const goal = {
      looked: 0,
      found: 0,
      isFar: () => goal.found < enough && !(this.filter.text !== "" && goal.looked >= textStep),
    };
    return goal;
  }

  /** The events of a range that match at the server; not all of them where they are more than an answer has. */
  async #read(tally: Tally, from: number, to: number, ending: AbortSignal) {
    const options = { ...asked(this.filter), from, to, limit: this.#limit, signal: ending };
    const events: StoredEvent[] = [];
    let cursor: string | undefined;
    do {
      const page = await tally.listEvents(this.log, { ...options, cursor });
      events.push(...page.events);
      cursor = page.next_cursor;
      // A page may be empty and go on; a small range is read to its end, whatever is in it.
    } while (cursor !== undefined && (events.length === 0 || to - from < leastWindow));
    return { events, complete: cursor === undefined };
  }

  /** Looks at more at once where little matches, and at less where much does. */
  #grow(found: number): void {
    const most = isSparse(this.filter) ? mostWindow : this.#limit;
    if (found < this.#limit / 4) this.#window = Math.min(most, this.#window * 4);
    else if (this.#window > this.#limit) this.#window = Math.max(this.#limit, this.#window >> 2);
  }
}
