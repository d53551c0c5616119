import type { StoredEvent } from "@tallystick/client";
import { visible } from "../../ui/json";

const previewLength = 280; // characters of an event in a list
const beforeMatch = 40; // characters before what was searched for

/** What a list keeps of an event: its page has all of it. */
export interface Row {
  sequence: number;
  recordedAt: string;
  time: string;
  type: string;
  key: string;
  /** Bytes, as it was sent. */
  size: number;
  /** The part of its text that is shown, and where in it the searched text begins. */
  preview: string;
  match: number;
}

const encoder = new TextEncoder();

/** The row of an event; undefined where it does not contain the text, whatever the case of its letters. */
export function rowOf(event: StoredEvent, text: string): Row | undefined {
  const { raw, key = "" } = event;
  const searched = text.toLowerCase();
  const at = searched === "" ? -1 : raw.toLowerCase().indexOf(searched);
  if (searched !== "" && at < 0 && !key.toLowerCase().includes(searched)) return undefined;
  const from = at > previewLength - searched.length ? at - beforeMatch : 0;
  const part = visible(raw.slice(from, from + previewLength).replace(/\s+/g, " "));
  const preview = (from > 0 ? "…" : "") + part + (from + previewLength < raw.length ? "…" : "");
  return {
    sequence: event.sequence,
    recordedAt: event.recorded_at,
    time: event.time,
    type: event.type ?? "",
    key,
    size: encoder.encode(raw).length,
    // A part of a text keeps the whole of it in memory, and a page's text is long: this makes one of its own.
    preview: JSON.parse(JSON.stringify(preview)) as string,
    match: searched === "" ? -1 : preview.toLowerCase().indexOf(searched),
  };
}
