import type { StoredEvent } from "@tallystick/client";
import { when } from "../../core/format";

/** Which events are shown, and in which order: what the address of the page says. */
export interface Filter {
  type: string;
  text: string;
  /** The first and the last sequence. */
  from: number;
  to: number;
  /** Times, as RFC 3339; "" for none. */
  since: string;
  until: string;
  /** Which of an event's two times. */
  clock: "happened" | "recorded";
  newestFirst: boolean;
  /** The event to begin at; undefined for the end. */
  at: number | undefined;
}

/** Reads a filter from the query of a link. What it does not understand is no filter. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  return {
    type: query["type"] ?? "",
    text: query["text"] ?? "",
    from: sequenceOf(query["from"]) ?? 1,
    to: sequenceOf(query["to"]) ?? Infinity,
    since: timeOf(query["since"]),
    until: timeOf(query["until"]),
    clock: query["clock"] === "happened" ? "happened" : "recorded",
    newestFirst: query["order"] !== "oldest",
    at: sequenceOf(query["at"]),
  };
}

/** A sequence, from what somebody typed: `1 234` and `#1234` too. */
export function sequenceOf(text: string | undefined): number | undefined {
  const digits = (text ?? "").replace(/[\s#,._\u202f]/g, "");
  const value = Number(digits);
  return /^\d+$/.test(digits) && value >= 1 && Number.isSafeInteger(value) ? value : undefined;
}

function timeOf(text = ""): string {
  const time = new Date(text);
  return text === "" || Number.isNaN(time.getTime()) ? "" : time.toISOString();
}

/** A time as a field for the viewer's zone has it, and back. */
export function localTime(time: string): string {
  return time === "" ? "" : when(time).replace(" ", "T");
}

export function fromLocalTime(local: string): string {
  return timeOf(local);
}

/** Whether later events can match: then the page may follow the log. */
export function isOpen(filter: Filter): boolean {
  return filter.to === Infinity && filter.until === "";
}

/** Whether the server leaves out some events of a range. */
export function isSparse(filter: Filter): boolean {
  return filter.type !== "" || filter.since !== "" || filter.until !== "";
}

/** What the server is asked for beside a range of sequences. */
export function asked(filter: Filter): Record<string, string | undefined> {
  const [from, to] = filter.clock === "happened" ? ["time_from", "time_to"] : ["recorded_from", "recorded_to"];
  return { type: filter.type || undefined, [from]: filter.since || undefined, [to]: filter.until || undefined };
}

/** Whether an event of the tail is within the times: the server filters a tail by type alone. */
export function isInTime(filter: Filter, event: StoredEvent): boolean {
  if (filter.since === "") return true;
  const time = filter.clock === "happened" ? event.time : event.recorded_at;
  return new Date(time).getTime() >= new Date(filter.since).getTime();
}
