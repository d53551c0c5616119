// Writing texts and JSON: a buffer of bytes that grows.

import { Decimal } from "./decimal";
import { room } from "./memory";
import { copy, Text } from "./text";

/** Digits in pairs, 00 to 99. */
const PAIRS = memory.data<u8>([
  48, 48, 48, 49, 48, 50, 48, 51, 48, 52, 48, 53, 48, 54, 48, 55, 48, 56, 48, 57, 49, 48, 49, 49, 49, 50, 49, 51, 49, 52, 49, 53, 49, 54,
  49, 55, 49, 56, 49, 57, 50, 48, 50, 49, 50, 50, 50, 51, 50, 52, 50, 53, 50, 54, 50, 55, 50, 56, 50, 57, 51, 48, 51, 49, 51, 50, 51, 51,
  51, 52, 51, 53, 51, 54, 51, 55, 51, 56, 51, 57, 52, 48, 52, 49, 52, 50, 52, 51, 52, 52, 52, 53, 52, 54, 52, 55, 52, 56, 52, 57, 53, 48,
  53, 49, 53, 50, 53, 51, 53, 52, 53, 53, 53, 54, 53, 55, 53, 56, 53, 57, 54, 48, 54, 49, 54, 50, 54, 51, 54, 52, 54, 53, 54, 54, 54, 55,
  54, 56, 54, 57, 55, 48, 55, 49, 55, 50, 55, 51, 55, 52, 55, 53, 55, 54, 55, 55, 55, 56, 55, 57, 56, 48, 56, 49, 56, 50, 56, 51, 56, 52,
  56, 53, 56, 54, 56, 55, 56, 56, 56, 57, 57, 48, 57, 49, 57, 50, 57, 51, 57, 52, 57, 53, 57, 54, 57, 55, 57, 56, 57, 57,
]);

const MOST_DIGITS = 20;
const CHUNK_DIGITS = 9;
const CHUNK: u64 = 1000000000;

/** Where numbers are put together. */
const scratch = memory.data(MOST_DIGITS);

const FIRST_BYTES = 64;

/** The most bytes that a key may have. */
export const KEY_BYTES = 1024;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;

/** Writes text, and JSON: there commas come by themselves; that objects and arrays are closed, and members named, is the
 * caller's to see to. */
@unmanaged
export class Writer {
  private at: usize;
  private room: i32;
  /** How many bytes are written. */
  len: i32;
  private comma: bool; // stands before the next value or name

  /** A writer that has written nothing; with room for so many bytes, more where they are needed. */
  static make(bytes: i32 = FIRST_BYTES): Writer {
    const out = changetype<Writer>(room(offsetof<Writer>()));
    out.at = room(bytes);
    out.room = bytes;
    out.len = 0;
    out.comma = false;
    return out;
  }

  /** What is written. Writing more afterwards changes it. */
  text(): Text {
    return Text.at(this.at, this.len);
  }

  /** What is written as a key; null if it cannot be one: empty, over 1,024 bytes, or with NUL. */
  key(): Text | null {
    if (this.len == 0 || this.len > KEY_BYTES) return null;
    for (let at = this.at, end = at + this.len; at < end; at++) {
      if (load<u8>(at) == 0) return null;
    }
    return this.text();
  }

  // ---- Plain text ----

  // @ts-ignore: decorator
  @inline
  private need(bytes: i32): void {
    if (this.room - this.len < bytes) this.enlarge(bytes);
  }

  private enlarge(bytes: i32): void {
    const more = this.room * 2 + bytes;
    const at = room(more);
    copy(at, this.at, this.len);
    this.at = at;
    this.room = more;
  }

  /** Writes bytes as they are. */
  // @ts-ignore: decorator
  @inline
  put(text: Text): Writer {
    return this.putBytes(text.at, text.len);
  }

  /** Writes n bytes as they are. */
  putBytes(at: usize, n: i32): Writer {
    this.need(n);
    copy(this.at + this.len, at, n);
    this.len += n;
    return this;
  }

  /** Writes a string as it is, as UTF-8. */
  putString(text: string): Writer {
    return this.put(Text.of(text));
  }

  /** Writes a byte. */
  putByte(byte: u8): Writer {
    this.need(1);
    store<u8>(this.at + this.len, byte);
    this.len++;
    return this;
  }

  /** Writes n in at least so many digits, at most 20. */
  putNumber(n: u64, digits: i32 = 1): Writer {
    const end = scratch + MOST_DIGITS;
    let chunkEnd = end;
    let at = end;
    while (n >= CHUNK) {
      at = small(at, <u32>(n % CHUNK));
      n /= CHUNK;
      chunkEnd -= CHUNK_DIGITS;
      while (at > chunkEnd) store<u8>(--at, 0x30);
    }
    at = small(at, <u32>n);
    while (<i32>(end - at) < digits) store<u8>(--at, 0x30);
    return this.putBytes(at, <i32>(end - at));
  }

  /** Takes trailing bytes back while they are such. */
  trim(byte: u8): void {
    while (this.len > 0 && load<u8>(this.at + this.len - 1) == byte) this.len--;
  }

  // ---- JSON ----

  // @ts-ignore: decorator
  @inline
  private separate(): void {
    if (this.comma) this.putByte(COMMA);
    this.comma = true;
  }

  /** Writes a value that is JSON already, such as one from the state. */
  raw(json: Text): Writer {
    this.separate();
    return this.put(json);
  }

  /** Writes a member's name; its value comes next. */
  name(name: Text): Writer {
    this.string(name).putByte(0x3a);
    this.comma = false;
    return this;
  }

  /** Writes a string, which must be UTF-8: quoted and escaped. NUL, which PostgreSQL takes in no text, becomes U+FFFD. */
  string(text: Text): Writer {
    this.separate();
    this.putByte(QUOTE);
    let from = text.at;
    const end = text.at + text.len;
    for (let at = from; at < end; at++) {
      const c = load<u8>(at);
      if (c >= 0x20 && c != QUOTE && c != BACKSLASH) continue;
      this.putBytes(from, <i32>(at - from));
      if (c == 0) {
        this.putByte(0xef).putByte(0xbf).putByte(0xbd);
      } else if (c < 0x20) {
        this.putByte(BACKSLASH).putByte(0x75).putNumber(0, 2).putByte(hexadecimal(c >> 4)).putByte(hexadecimal(c & 15));
      } else {
        this.putByte(BACKSLASH).putByte(c);
      }
      from = at + 1;
    }
    return this.putBytes(from, <i32>(end - from)).putByte(QUOTE);
  }

  /** Writes an exact number. */
  decimal(number: Decimal): Writer {
    this.separate();
    number.put(this);
    return this;
  }

  /** Writes a whole number. */
  integer(number: i64): Writer {
    this.separate();
    if (number < 0) this.putByte(0x2d);
    return this.putNumber(number < 0 ? 0 - <u64>number : <u64>number);
  }

  /** Writes true or false. */
  boolean(value: bool): Writer {
    this.separate();
    return this.putString(value ? "true" : "false");
  }

  /** Writes null. */
  null(): Writer {
    this.separate();
    return this.putString("null");
  }

  /** Starts an object. */
  beginObject(): Writer {
    return this.begin(0x7b);
  }

  /** Ends the object. */
  endObject(): Writer {
    return this.end(0x7d);
  }

  /** Starts an array. */
  beginArray(): Writer {
    return this.begin(0x5b);
  }

  /** Ends the array. */
  endArray(): Writer {
    return this.end(0x5d);
  }

  private begin(bracket: u8): Writer {
    this.separate();
    this.comma = false;
    return this.putByte(bracket);
  }

  private end(bracket: u8): Writer {
    this.comma = true;
    return this.putByte(bracket);
  }
}

function hexadecimal(digit: u8): u8 {
  return digit < 10 ? 0x30 + digit : 0x61 - 10 + digit;
}

/** Writes n so that it ends at that place; where it starts. 0 has no digits. */
// @ts-ignore: decorator
@inline
function small(at: usize, n: u32): usize {
  while (n > 9) {
    const hundreds = <u32>((<u64>n * 0x51eb851f) >> 37); // n / 100 for every u32: a division costs a dozen times as much
    at -= 2;
    store<u16>(at, load<u16>(PAIRS + ((n - hundreds * 100) << 1)));
    n = hundreds;
  }
  if (n > 0) store<u8>(--at, <u8>(0x30 + n));
  return at;
}
