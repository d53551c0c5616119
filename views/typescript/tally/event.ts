// The event, in the server's layout, with the fields that the view requests. Nothing is copied.

import { Decimal, isNumber } from "./decimal";
import { Text } from "./text";

/** What a field or a JSON value holds. */
export enum Kind {
  Missing,
  Null,
  False,
  True,
  Number,
  String,
  Array,
  Object,
}

const HEADER_BYTES: usize = 40;
const SLOT_BYTES: usize = 24;

/** One event of the log. Times are in microseconds since 1970-01-01T00:00:00Z. */
@unmanaged
export class Event {
  /** Its place in the log: 1, 2, 3 … */
  sequence: i64;
  /** When it happened: its own time, or that of recording. */
  time: i64;
  /** When it was appended. Never decreases within a log. */
  recordedAt: i64;
  private dataAt: usize;
  private dataLen: i32;
  private slots: u32;
  /** What became of it in a batch. */
  private result: u32;

  /** Reports to the server the result of an event of a batch. */
  say(result: i32): void {
    this.result = result;
  }

  /** The event's JSON, byte for byte as it was sent. */
  get data(): Text {
    return Text.at(this.dataAt, this.dataLen);
  }

  /** The field that fields() named at that place, counted from 0. */
  // @ts-ignore: decorator
  @inline
  field(index: i32): Field {
    assert(<u32>index < this.slots, "a field that was not asked for");
    return changetype<Field>(changetype<usize>(this) + HEADER_BYTES + <usize>index * SLOT_BYTES);
  }
}

/** One field of an event. */
@unmanaged
export class Field {
  /** What it holds. */
  kind: Kind;
  private at: usize;
  private len: i32;
  private reserved: u32;
  private nearest: f64;

  /** A string's value with its escapes resolved, and any other kind's JSON as it was sent; empty if it is missing. */
  // @ts-ignore: decorator
  @inline
  get text(): Text {
    return changetype<Text>(changetype<usize>(this) + offsetof<Field>("at")); // laid out alike
  }

  /** The value of a string; null for any other kind. */
  string(): Text | null {
    return this.kind == Kind.String ? this.text : null;
  }

  /** The field as a part of a key: a string's value, a number's or boolean's JSON, and nothing for null and for a missing one;
   * null for arrays and objects. */
  // @ts-ignore: decorator
  @inline
  label(): Text | null {
    const kind = this.kind;
    if (kind == Kind.String || kind == Kind.Number) return this.text;
    return this.otherLabel();
  }

  private otherLabel(): Text | null {
    if (this.kind >= Kind.Array) return null;
    return this.kind <= Kind.Null ? Text.at(0, 0) : this.text;
  }

  /** The exact value of a number, or of a string that reads as a JSON number, as Decimal.parse has it; null for others. */
  // @ts-ignore: decorator
  @inline
  decimal(): Decimal | null {
    return this.kind == Kind.Number || this.kind == Kind.String ? Decimal.parse(this.text) : null;
  }

  /** Why a value that is there is no decimal: not_a_number, or has_too_many_digits where it is a number, or reads as one, that
   * Decimal.parse does not take; null for a decimal, null and a missing field. */
  uncounted(): string | null {
    if (!this.isGiven() || this.decimal() != null) return null;
    const isText = this.kind == Kind.Number || this.kind == Kind.String;
    return isText && isNumber(this.text) ? "has_too_many_digits" : "not_a_number";
  }

  /** Whether the event has the field, with a value other than null. */
  // @ts-ignore: decorator
  @inline
  isGiven(): bool {
    return this.kind > Kind.Null;
  }

  /** A number's nearest double, 0 for other kinds. Never count money or tokens with it: 0.1 is not 0.1 there. */
  float(): f64 {
    return this.nearest;
  }
}
