import { elementTexts, memberText, parseExact } from "./json.js";
import type { StoredEvent } from "./types.js";

/** A page of events. */
export interface EventPage {
  events: StoredEvent[];
  /** The `cursor` of the next page; absent at the end of the range. A page may be empty and have one all the same. */
  next_cursor?: string;
}

/** An event from its JSON, with the exact text of its data. */
export function storedEvent(text: string): StoredEvent {
  const data = memberText(text, "data") ?? "null";
  const event = JSON.parse(text) as Omit<StoredEvent, "raw"> & { raw?: string };
  event.raw ??= data; // the server's own, where data cannot be as it was sent: lines hold no line breaks
  event.data = parseExact(data) as StoredEvent["data"];
  return event as StoredEvent;
}

/** A page of events from its JSON. */
export function pageOf(text: string): EventPage {
  const events = elementTexts(memberText(text, "events") ?? "[]").map(storedEvent);
  const cursor = memberText(text, "next_cursor");
  return cursor === undefined ? { events } : { events, next_cursor: JSON.parse(cursor) as string };
}
