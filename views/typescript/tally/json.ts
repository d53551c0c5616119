// Reading JSON: configurations, an event's data, values of the state. What the server passes to a view is valid JSON; of any other
// text something is read, or nothing, but nothing out of bounds.

import { Decimal } from "./decimal";
import { Kind } from "./event";
import { digit } from "./query";
import { Text } from "./text";
import { Writer } from "./writer";

/** A JSON value, by its source text. */
export class Json {
  /** The text. */
  readonly source: Text;

  /** A value by its text. */
  constructor(text: Text) {
    const from = pastSpace(text, 0);
    let to = text.len;
    while (to > from && isSpace(text.byte(to - 1))) to--;
    this.source = text.slice(from, to);
  }

  /** What the value is; Missing for an empty text. */
  kind(): Kind {
    const c = this.source.byte(0);
    if (c < 0) return Kind.Missing;
    if (c == 0x6e) return Kind.Null;
    if (c == 0x66) return Kind.False;
    if (c == 0x74) return Kind.True;
    if (c == 0x22) return Kind.String;
    if (c == 0x5b) return Kind.Array;
    return c == 0x7b ? Kind.Object : Kind.Number;
  }

  /** The value of a string, its escapes resolved, and a lone surrogate as U+FFFD; null if the value is none. */
  string(): Text | null {
    const source = this.source;
    if (source.len < 2 || source.byte(0) != 0x22 || source.byte(source.len - 1) != 0x22) return null;
    const inner = source.slice(1, source.len - 1);
    return inner.indexOf(0x5c) < 0 ? inner : unescape(inner);
  }

  /** The exact value of a number, or of a string that reads as one; see Decimal.parse. */
  decimal(): Decimal | null {
    if (this.kind() == Kind.Number) return Decimal.parse(this.source);
    const text = this.string();
    return text == null ? null : Decimal.parse(text);
  }

  /** The members of an object, or the elements of an array, whose names are empty; none of any other value:
   *
   *     for (const members = json.members(); members.next(); ) { members.name, members.value }
   */
  members(): Members {
    return new Members(this.source);
  }

  /** The member of that name, the last one if an object has several; null if there is none. */
  get(name: string): Json | null {
    if (this.kind() != Kind.Object) return null;
    const wanted = Text.of(name);
    let found: Json | null = null;
    for (const members = this.members(); members.next(); ) {
      if (members.name.equals(wanted)) found = members.value;
    }
    return found;
  }
}

/** Walks members; see Json.members. A name may come more than once. */
export class Members {
  /** The name at hand. */
  name: Text = Text.at(0, 0);
  /** Its value. */
  value: Json;
  private place: i32 = 1;
  private isObject: bool;

  constructor(private source: Text) {
    const first = source.byte(0);
    this.isObject = first == 0x7b;
    if (first != 0x7b && first != 0x5b) this.place = source.len;
    this.value = new Json(source.slice(0, 0));
  }

  /** Moves to the next member; false if there is none. */
  next(): bool {
    if (this.isObject) {
      const name = new Json(this.take()).string();
      this.place = pastSpace(this.source, this.place);
      if (name == null || this.source.byte(this.place) != 0x3a) return false;
      this.place++;
      this.name = name;
    }
    const value = this.take();
    this.value = new Json(value);
    return value.len > 0;
  }

  /** Takes the next value, and the comma before it; empty at the closing bracket. */
  private take(): Text {
    let from = pastSpace(this.source, this.place);
    if (this.source.byte(from) == 0x2c) from = pastSpace(this.source, from + 1);
    this.place = pastValue(this.source, from);
    return this.source.slice(from, this.place);
  }
}

function isSpace(c: i32): bool {
  return c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d;
}

function pastSpace(text: Text, at: i32): i32 {
  while (isSpace(text.byte(at))) at++;
  return at;
}

/** Where the value ends that starts there. */
function pastValue(text: Text, at: i32): i32 {
  let depth = 0;
  while (true) {
    const c = text.byte(at);
    const closing = c == 0x7d || c == 0x5d;
    if (c < 0 || (depth == 0 && (closing || c == 0x2c || c == 0x3a || isSpace(c)))) return at;
    if (c == 0x7b || c == 0x5b) depth++;
    if (closing) depth--;
    at = c == 0x22 ? pastString(text, at) : at + 1;
    if (depth == 0 && (closing || c == 0x22)) return at;
  }
}

/** Where the string ends that starts there, past its quote. */
function pastString(text: Text, at: i32): i32 {
  for (at++; at < text.len; at++) {
    if (text.byte(at) == 0x22) return at + 1;
    if (text.byte(at) == 0x5c) at++;
  }
  return text.len;
}

function unescape(text: Text): Text | null {
  const out = Writer.make(text.len);
  for (let i = 0; i < text.len; ) {
    if (text.byte(i) != 0x5c) {
      out.putByte(<u8>text.byte(i++));
      continue;
    }
    const unit = codeUnit(text, i);
    if (unit < 0) {
      const meaning = meaningOf(text.byte(i + 1));
      if (meaning < 0) return null;
      out.putByte(<u8>meaning);
      i += 2;
      continue;
    }
    i += 6;
    const low = codeUnit(text, i);
    if (unit >= 0xd800 && unit < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
      putCharacter(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      i += 6;
    } else {
      putCharacter(out, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
    }
  }
  return out.text();
}

const ESCAPE_BYTES = 6; // \u0000

/** JSON as PostgreSQL can store and read it: \u0000 and lone halves of surrogate pairs, which no text there can hold, are \ufffd. */
export function storable(json: Text): Text {
  let at = json.indexOf(0x5c);
  if (at < 0) return json;
  let out: Text | null = null; // a copy, once something is replaced
  for (; at >= 0; at = json.indexOf(0x5c, at)) {
    const unit = codeUnit(json, at);
    if (unit < 0) {
      at += 2;
      continue;
    }
    const low = codeUnit(json, at + ESCAPE_BYTES);
    if (unit >= 0xd800 && unit < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
      at += 2 * ESCAPE_BYTES;
      continue;
    }
    if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
      if (out == null) out = Writer.make(json.len).put(json).text();
      store<u32>(out.at + at + 2, 0x64666666); // fffd
    }
    at += ESCAPE_BYTES;
  }
  return out == null ? json : out;
}

/** The unit of \uXXXX at that place; -1 where there is none. */
function codeUnit(text: Text, at: i32): i32 {
  if (text.byte(at) != 0x5c || text.byte(at + 1) != 0x75) return -1;
  let unit = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const n = digit(text.byte(i));
    if (n < 0) return -1;
    unit = (unit << 4) | n;
  }
  return unit;
}

/** What a letter after a backslash stands for; -1 for others. */
function meaningOf(letter: i32): i32 {
  switch (letter) {
    case 0x22:
    case 0x2f:
    case 0x5c:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}

function putCharacter(out: Writer, c: i32): void {
  if (c < 0x80) {
    out.putByte(<u8>c);
    return;
  }
  if (c < 0x800) {
    out.putByte(<u8>(0xc0 | (c >> 6)));
  } else {
    if (c < 0x10000) out.putByte(<u8>(0xe0 | (c >> 12)));
    else out.putByte(<u8>(0xf0 | (c >> 18))).putByte(<u8>(0x80 | ((c >> 12) & 63)));
    out.putByte(<u8>(0x80 | ((c >> 6) & 63)));
  }
  out.putByte(<u8>(0x80 | (c & 63)));
}
