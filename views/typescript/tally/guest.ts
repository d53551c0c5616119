// What a view is, and what the server's calls into it do. A view's module exports the functions named tally_… from here.

import * as batch from "./batch";
import { Event } from "./event";
import { Verdict } from "./guard";
import * as host from "./host";
import { Json } from "./json";
import { Query } from "./query";
import { hasKept, keep, release, room } from "./memory";
import { Text } from "./text";
import { Writer } from "./writer";

/** What became of an event. */
export enum Folded {
  /** The view halts at this event; fail has given the reason. */
  Failed = -1,
  /** It counts. */
  Applied = 0,
  /** The view has no use for it. */
  Ignored = 1,
}

/** The most bytes that an answer may have. */
export const ANSWER_BYTES = 1048576;

/** What a query answers: made by the functions below. */
export type Answer = i64;

const REFUSED: Answer = -1;
const REFUSED_BATCH = -1;

/** Answers with JSON. */
export function json(out: Writer): Answer {
  return out.text().pack();
}

/** Answers with comma-separated values. */
export function csv(out: Writer): Answer {
  return typed(out, "text/csv");
}

/** Answers with plain text. */
export function plain(out: Writer): Answer {
  return typed(out, "text/plain");
}

function typed(out: Writer, type: string): Answer {
  const name = Text.of(type);
  host.contentType(name.at, name.len);
  return out.text().pack();
}

/** Refuses a query, with the reason for the client: say what was found, what is allowed, and what to do. */
export function refuse(reason: string): Answer {
  fail(reason);
  return REFUSED;
}

/** Gives the reason for an error; the server shows its first 1,024 bytes. Answers Folded.Failed, which halts the view: never do that for
 * anything that an event may hold. */
export function fail(reason: string): Folded {
  const text = Text.of(reason);
  host.fail(text.at, text.len);
  return Folded.Failed;
}

/** A view: how events become state, and state becomes answers. Nothing that is made in a call outlives it: state is all that
 * lasts, beside what the module makes when it starts and what configure makes. */
export abstract class View {
  /** Takes the configuration, which is {} if there was none: before the first event, and again whenever the server has set memory
   * back. false, after fail, refuses the deploy. */
  configure(config: Json): bool {
    return true;
  }

  /** The members of an event that the view reads, as JSON Pointers: /tokens_in, /usage/tokens. At most 64; Event.field counts them
   * from 0. */
  abstract fields(): string[];

  /** Folds one event into the state. */
  abstract fold(event: Event): Folded;

  /** Decides on an event before it is appended, on the state with every earlier event folded; the event has the sequence and the time
   * of recording that it would get. It reads, and must not write. The server asks it if the module exports tally_guard, and only then.
   * The fold must take any event all the same: no guard was asked about those that the log held before. */
  guard(event: Event): Verdict {
    return Verdict.admit();
  }

  /** Answers a query. */
  abstract query(query: Query): Answer;
}

let view: View | null = null;
let isConfigured = false;

/** Makes this the module's view. To be called once, where the module starts. */
export function register(theView: View): void {
  view = theView;
}

/** The view, configured; null if it cannot be. What its configuration needs is kept. */
function ready(): View | null {
  if (!hasKept()) keep();
  const found = view;
  if (found == null || isConfigured) return found;
  if (!found.configure(new Json(Text.unpack(host.config())))) return null;
  isConfigured = true;
  keep();
  return found;
}

export function tally_alloc(n: usize): usize {
  if (!hasKept()) keep();
  return room(n);
}

export function tally_fields(): i64 {
  if (!hasKept()) keep();
  const found = ready();
  const fields = found == null ? REFUSED : Text.of(found.fields().join("\n")).pack();
  release();
  return fields;
}

export function tally_fold(event: usize): i32 {
  const found = ready();
  const folded: i32 = found == null ? Folded.Failed : found.fold(changetype<Event>(event));
  release();
  return folded;
}

/** Folds the events that the list of n pointers names. */
export function tally_fold_batch(list: usize, n: i32): i32 {
  const found = ready();
  batch.begin();
  let goesOn = found != null;
  for (let i = 0; goesOn && i < n; i++) {
    const event = changetype<Event>(load<usize>(list + (<usize>i << 2)));
    batch.beginEvent();
    const folded: i32 = found!.fold(event);
    event.say(folded);
    goesOn = folded >= 0 && batch.endEvent();
    release();
  }
  if (goesOn) batch.writeAll();
  batch.end();
  release();
  return goesOn ? 0 : REFUSED_BATCH;
}

export function tally_event_room(): i64 {
  return (<i64>batch.EVENTS << 32) | batch.EVENT_BYTES;
}

export function tally_guard(event: usize): i32 {
  const found = ready();
  const verdict: i32 = found == null ? Folded.Failed : found.guard(changetype<Event>(event)).say();
  release();
  return verdict;
}

export function tally_query(at: usize, len: i32): i64 {
  const found = ready();
  const answer = found == null ? REFUSED : found.query(new Query(Text.at(at, len)));
  release();
  return answer;
}

/** Where an assertion, an index out of bounds or a throw ends up: the reason goes to the server, and the call ends. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  fail(`${message == null ? "aborted" : message} at ${file == null ? "" : file}:${line}:${column}`);
  unreachable();
}
