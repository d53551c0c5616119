import { elementTexts, stringifyExact } from "./json.js";

/**
 * An event to append: an object, or exact JSON, as text or bytes, which is sent and kept byte for byte. `type`, `time` (RFC 3339), `id`
 * and `source` mean something to the server; everything else is yours. At most 1 MiB.
 */
export type EventInput = { readonly [member: string]: unknown } | string | Uint8Array;

/** An event as it is sent. */
export interface EncodedEvent {
  text: string;
  /** Its length in UTF-8, in bytes. */
  bytes: number;
}

const utf8 = new TextEncoder();
// A byte order mark is not white space of JSON: it is sent, and refused by the server, rather than silently taken away.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Writes an event as JSON, once and for all tries.
 *
 * @throws {TypeError} for what is no event, or what JSON cannot hold
 */
export function encodeEvent(event: EventInput): EncodedEvent {
  if (typeof event === "string") return measured(event);
  if (event instanceof Uint8Array) return measured(decoded(event));
  const given: unknown = event; // by a program without types, it may be anything
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError("an event is an object, or the JSON text or bytes of one");
  }
  return measured(stringifyExact(event));
}

function measured(text: string): EncodedEvent {
  if (text.trim() === "")
    throw new TypeError("the event is empty: an event is an object, or the JSON text or bytes of one");
  if (/[\r\n]/.test(text)) {
    try {
      JSON.parse(text); // in the array that such events are sent in, `{},{}` would be two
    } catch (cause) {
      throw new TypeError("the event is no JSON", { cause });
    }
  }
  return { text, bytes: utf8.encode(text).length };
}

function decoded(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    throw new TypeError("the event's bytes are not UTF-8, as JSON must be", { cause });
  }
}

/** A batch as it is sent. */
export interface EncodedBatch {
  body: Uint8Array;
  contentType: string;
  /** The texts of its events, in their order. */
  texts: () => string[];
}

/** Writes a batch: lines, or an array where an event has line breaks of its own. What is written already stays as it is. */
export function encodeBatch(events: readonly EventInput[] | string | Uint8Array): EncodedBatch {
  if (typeof events === "string") return encodeBatch(utf8.encode(events));
  if (!(events instanceof Uint8Array)) return joined(events.map((event) => encodeEvent(event).text));
  const text = decoded(events);
  const isArray = text.trimStart().startsWith("[");
  const lines = (): string[] => text.split("\n").filter((line) => line.trim() !== "");
  return {
    body: events,
    contentType: isArray ? "application/json" : "application/x-ndjson",
    texts: isArray ? () => elementTexts(text) : lines,
  };
}

/** The body of a batch of encoded events. */
export function joined(texts: string[]): EncodedBatch {
  if (!texts.some((text) => /[\r\n]/.test(text))) {
    return { body: utf8.encode(texts.join("\n") + "\n"), contentType: "application/x-ndjson", texts: () => texts };
  }
  return { body: utf8.encode(`[${texts.join(",")}]`), contentType: "application/json", texts: () => texts };
}

/** Whether an event has an identity of its own, beside which an idempotency key does not count. */
export function hasId(text: string): boolean {
  if (!text.includes('"id"') && !text.includes("\\")) return false;
  try {
    const parsed = JSON.parse(text) as { id?: unknown } | null;
    return typeof parsed?.id === "string" && parsed.id !== "";
  } catch {
    return false; // the server refuses it
  }
}
