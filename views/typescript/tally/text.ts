// Texts: bytes of UTF-8 in place. Strings of the language are UTF-16, and turning one into the other costs more than most
// folds; keys, values and fields never have to be.

import { room } from "./memory";

/** Some bytes, most often UTF-8. Good until the call of the server that made it ends. */
@unmanaged
export class Text {
  /** Where the bytes are. */
  at: usize;
  /** How many. */
  len: i32;

  /** The len bytes at that place. */
  // @ts-ignore: decorator
  @inline
  static at(at: usize, len: i32): Text {
    const text = changetype<Text>(room(8));
    text.at = at;
    text.len = len;
    return text;
  }

  /** A string, as UTF-8; a lone surrogate becomes U+FFFD. */
  static of(text: string): Text {
    const len = String.UTF8.byteLength(text, false);
    const at = room(len);
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at, false, String.UTF8.ErrorMode.REPLACE);
    return Text.at(at, len);
  }

  /** What an i64 of the ABI points at. */
  // @ts-ignore: decorator
  @inline
  static unpack(pair: i64): Text {
    return Text.at(<usize>(<u64>pair >> 32), <i32>pair);
  }

  /** The bytes as an i64 of the ABI. */
  // @ts-ignore: decorator
  @inline
  pack(): i64 {
    return (<i64>this.at << 32) | <i64>(<u32>this.len);
  }

  /** The byte at that place, counted from 0; -1 beyond the end. */
  // @ts-ignore: decorator
  @inline
  byte(index: i32): i32 {
    return <u32>index < <u32>this.len ? <i32>load<u8>(this.at + index) : -1;
  }

  /** The part from start to end, or to the end of the text where that comes first. */
  slice(start: i32, end: i32 = i32.MAX_VALUE): Text {
    const from = max(0, min(start, this.len));
    return Text.at(this.at + from, max(0, min(end, this.len) - from));
  }

  /** Where the byte is first found from start on; -1 where it is not. */
  indexOf(byte: i32, start: i32 = 0): i32 {
    for (let i = start; i < this.len; i++) {
      if (<i32>load<u8>(this.at + i) == byte) return i;
    }
    return -1;
  }

  /** Whether the bytes are the same. */
  equals(other: Text): bool {
    return this.len == other.len && same(this.at, other.at, this.len);
  }

  /** Below 0, 0 or above 0: whether the bytes come before, are, or come after the others in byte order, as keys do. */
  compare(other: Text): i32 {
    const n = memory.compare(this.at, other.at, min(this.len, other.len));
    return n != 0 ? n : this.len - other.len;
  }

  /** Whether the bytes are those of a string. */
  is(text: string): bool {
    return this.equals(Text.of(text));
  }

  /** The string that the bytes spell. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.at, this.len, false);
  }
}

/** Whether n bytes are the same. */
// @ts-ignore: decorator
@inline
export function same(a: usize, b: usize, n: i32): bool {
  while (n >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    n -= 8;
  }
  while (n > 0) {
    if (load<u8>(a++) != load<u8>(b++)) return false;
    n--;
  }
  return true;
}

/** Copies n bytes. Up to 16 go as two pieces that may overlap: a memory.copy takes longer. */
export function copy(to: usize, from: usize, n: i32): void {
  if (n > 16) {
    memory.copy(to, from, n);
  } else if (n >= 8) {
    const head = load<u64>(from);
    const tail = load<u64>(from + n - 8);
    store<u64>(to, head);
    store<u64>(to + n - 8, tail);
  } else if (n >= 4) {
    const head = load<u32>(from);
    const tail = load<u32>(from + n - 4);
    store<u32>(to, head);
    store<u32>(to + n - 4, tail);
  } else {
    for (let i = 0; i < n; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

/** How many bytes the well-formed UTF-8 character takes that the bytes start with; 0 if there is none. */
export function characterBytes(at: usize, len: i32): i32 {
  const lead = load<u8>(at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (len < bytes) return 0;
  const second = load<u8>(at + 1);
  const low: u8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80; // shorter forms exist below
  const high: u8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf; // surrogates, and beyond U+10FFFF, above
  if (second < low || second > high) return 0;
  for (let i = 2; i < bytes; i++) {
    if ((load<u8>(at + i) & 0xc0) != 0x80) return 0;
  }
  return bytes;
}

/** Enough to recognise what was sent. */
const SHOWN_BYTES = 60;

/** Any bytes, made fit for an error message: quoted, cut to a few words, and ? for what is not text. */
export function shown(text: Text): string {
  let out = '"';
  let at = text.at;
  let left = text.len;
  let bytes = 0;
  while (left > 0) {
    const n = characterBytes(at, left);
    if (bytes + n > SHOWN_BYTES) {
      out += "...";
      break;
    }
    const step = max(1, n);
    out += n == 0 || load<u8>(at) < 0x20 ? "?" : String.UTF8.decodeUnsafe(at, n, false);
    at += step;
    left -= step;
    bytes += step;
  }
  return out + '"';
}
