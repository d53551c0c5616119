import type { TallyError } from "./errors.js";
import type { Query } from "./options.js";
import type { components, operations } from "./schema.gen.js";

/** The id of an operation of the API's document. */
export type OperationId = keyof operations;
/** The types of the API's document, by their names there: `Schemas["Log"]`. */
export type Schemas = components["schemas"];

type JsonOf<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type ResponsesOf<Id extends OperationId> = operations[Id]["responses"];
type QueryOf<Id extends OperationId> = NonNullable<operations[Id]["parameters"]["query"]>;

/** What an operation answers. */
export type Answer<Id extends OperationId> = JsonOf<ResponsesOf<Id>[keyof ResponsesOf<Id> & (200 | 201 | 202)]>;
/** What an operation takes as its body. */
export type Input<Id extends OperationId> = JsonOf<NonNullable<operations[Id]["requestBody"]>>;
/** The parameters of an operation's query, by their names in the API. */
export type Parameters<Id extends OperationId> = { [Name in keyof QueryOf<Id>]?: QueryOf<Id>[Name] | undefined };

/** What is asked of a view: the parameters of its query string. */
export type Question = Query;

/** What a view answers. */
export interface ViewAnswer<T = unknown> {
  /** The answer: JSON, read without loss, or the text where the view answers in CSV or plain text. */
  answer: T;
  /** The answer reflects the log's events up to this sequence, and none after it. */
  sequence: number;
  /** The answer as it came. */
  text: string;
  /** `application/json`, `text/csv` or `text/plain`. */
  contentType: string;
}

/** What a view answers while it is watched: its answer, or why there is none for now; there may be one again. */
export type WatchedAnswer<T = unknown> = { sequence: number; text: string } & (
  { answer: T; problem?: undefined } | { answer?: undefined; problem: TallyError }
);

/** An event of a log, read back. */
export interface StoredEvent<Data = Record<string, unknown>> {
  /** Its number in its log: 1, 2, 3 … */
  sequence: number;
  /** When it happened: RFC 3339, in UTC, to the microsecond. */
  time: string;
  /** When it was recorded; likewise. */
  recorded_at: string;
  /** Its type, where it has one. */
  type?: string;
  /** Its idempotency key, or its source and id, where it has one. */
  key?: string;
  /** The hash of everything up to it, in hexadecimal. */
  hash: string;
  /** The event, read without loss: integers above 2^53 are bigints, decimals that a double cannot hold are ExactNumbers. */
  data: Data;
  /** The event byte for byte as it was sent. */
  raw: string;
}

/** What append-event answers. */
export interface Appended {
  /** The event's place in its log. */
  sequence: number;
  /** True when the event was there before, other than by this call's own retry. */
  duplicate?: boolean;
  /** True when the event's time is more than a day ahead of when it was recorded. */
  ahead?: boolean;
  /** What guards said of the event when they admitted it, by the names of their views. */
  guards?: Record<string, Record<string, unknown>>;
  /** True when nothing was stored, as asked for. */
  dry_run?: boolean;
}

/** What append-events answers. */
export interface AppendedBatch {
  /** The least sequence of the batch's events. */
  first_sequence: number;
  /** The greatest sequence of the batch's events. */
  last_sequence: number;
  /** How many events are new. */
  appended: number;
  /** Events that were there before, other than by this call's own retry; `line` counts from 1. */
  duplicates: { line: number; sequence: number }[];
  /** How many new events have a time more than a day ahead of when they were recorded. */
  ahead?: number;
  /** True when nothing was stored, as asked for. */
  dry_run?: boolean;
}

/** A message of a stream of server-sent events. */
export interface Message {
  /** Names the place in the stream: what Last-Event-ID takes. "" before the first. */
  id: string;
  /** The kind of message. */
  event: string;
  /** What it says; lines are separated by \n. "" for a message that has an id alone. */
  data: string;
}
