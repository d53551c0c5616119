// Queries: the raw query string of a request, such as month=2025-03&team=a%20b.

import { room } from "./memory";
import { Text } from "./text";

/** A query. Walks its parameters in the order in which they were sent:
 *
 *     while (query.next()) { query.name, query.value }
 */
export class Query {
  /** The name of the parameter at hand, percent-decoded. It need not be UTF-8. */
  name: Text = Text.at(0, 0);
  /** Its value; empty if there is no =. */
  value: Text = Text.at(0, 0);
  private place: i32 = 0;

  /** A query by its raw query string. */
  constructor(public readonly raw: Text) {}

  /** Moves to the next parameter; false if there is none. */
  next(): bool {
    const raw = this.raw;
    while (raw.byte(this.place) == 0x26) this.place++;
    if (this.place >= raw.len) return false;
    let end = raw.indexOf(0x26, this.place);
    if (end < 0) end = raw.len;
    const pair = raw.slice(this.place, end);
    this.place = end;
    const equals = pair.indexOf(0x3d);
    this.name = decode(equals < 0 ? pair : pair.slice(0, equals));
    this.value = decode(equals < 0 ? pair.slice(pair.len) : pair.slice(equals + 1));
    return true;
  }
}

/** A + is a space; a % without two hexadecimal digits stands for itself. */
function decode(text: Text): Text {
  const out = Text.at(room(text.len), 0);
  for (let i = 0; i < text.len; i++) {
    let c = text.byte(i);
    if (c == 0x2b) c = 0x20;
    const high = digit(text.byte(i + 1));
    const low = digit(text.byte(i + 2));
    if (c == 0x25 && high >= 0 && low >= 0) {
      c = (high << 4) | low;
      i += 2;
    }
    store<u8>(out.at + out.len++, <u8>c);
  }
  return out;
}

/** The value of a hexadecimal digit; -1 where it is none. */
export function digit(c: i32): i32 {
  if (<u32>c - 0x30 <= 9) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return c > 0 && <u32>letter < 6 ? 10 + letter : -1;
}
