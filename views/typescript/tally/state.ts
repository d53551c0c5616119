// State: keys and JSON values that the server keeps. A key has 1 to 1,024 bytes of UTF-8 and no NUL (Writer.key checks that); with
// another one the server stops the view.

import * as batch from "./batch";
import * as host from "./host";
import { storable } from "./json";
import { Text } from "./text";

/** The value of a key, null if there is no such key. A fold reads its own earlier writes. */
export function get(key: Text): Text | null {
  settle(key);
  return read(key);
}

/** The same past a batch. */
// @ts-ignore: decorator
@inline
export function read(key: Text): Text | null {
  const pair = host.get(key.at, key.len);
  return pair < 0 ? null : Text.unpack(pair);
}

/** Writes a value: at most 64 KiB of JSON. Queries must not write. What an event may hold and PostgreSQL's JSON operators fail on,
 * \u0000 and lone halves of surrogate pairs, is written as \ufffd. */
export function set(key: Text, value: Text): void {
  setPlain(key, storable(value));
}

/** The same for what the kit has written, which has nothing of the kind. */
export function setPlain(key: Text, value: Text): void {
  settle(key);
  write(key, value);
}

/** The same past a batch. */
// @ts-ignore: decorator
@inline
export function write(key: Text, value: Text): void {
  host.set(key.at, key.len, value.at, value.len);
}

/** Removes a key, if it exists. Queries must not write. */
export function remove(key: Text): void {
  settle(key);
  host.remove(key.at, key.len);
}

/** Has a batch write what it holds of a key, before that is read or written here. */
// @ts-ignore: decorator
@inline
function settle(key: Text): void {
  if (batch.isOn) batch.forget(key);
}

/** The keys that start with the prefix, in byte order, with their values: all, or those greater than `after`. */
export function scan(prefix: Text, after: Text = Text.at(0, 0)): Scan {
  return new Scan(prefix, after);
}

/** Keys that are read at a time: with totals about 100 KB. */
const PAGE = 1000;

/** Walks keys and values:
 *
 *     for (const scan = state.scan(prefix); scan.next(); ) { scan.key, scan.value }
 */
export class Scan {
  /** The key at hand. */
  key: Text;
  /** Its value. */
  value: Text = Text.at(0, 0);
  private rest: usize = 0;
  private end: usize = 0;

  constructor(private prefix: Text, after: Text) {
    this.key = after;
  }

  /** Moves to the next key; false if there is none. */
  next(): bool {
    if (this.rest == this.end) {
      if (batch.isOn) batch.writeAll();
      const page = Text.unpack(host.scan(this.prefix.at, this.prefix.len, this.key.at, this.key.len, PAGE));
      this.rest = page.at;
      this.end = page.at + page.len;
      if (page.len == 0) return false;
    }
    const keyLen = load<i32>(this.rest);
    const valueLen = load<i32>(this.rest, 4);
    this.key = Text.at(this.rest + 8, keyLen);
    this.value = Text.at(this.rest + 8 + keyLen, valueLen);
    this.rest += 8 + keyLen + valueLen;
    return true;
  }
}
