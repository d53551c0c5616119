// State values that are a few decimals in a fixed frame, read and written quickly.

import * as batch from "./batch";
import { Decimal, WHOLE_DIGITS } from "./decimal";
import { fail } from "./guest";
import { room } from "./memory";
import * as state from "./state";
import { same, shown, Text } from "./text";
import { Writer } from "./writer";

/** The totals of one key at a time: a JSON object whose members are decimals. Make it once, where the module starts:
 *
 *     const totals = new Totals(["tokens_in", "tokens_out"]); // {"tokens_in":0,"tokens_out":0}
 *
 * and use it in every fold. A value is read back only as it was written, which is all that a view meets in its own state. */
export class Totals {
  private names: StaticArray<Text>; // with what stands around them
  private numbers: usize = 0;
  private key: Text = Text.at(0, 0);

  /** Names are taken as they are: no quotes, backslashes or control characters. */
  constructor(names: string[]) {
    this.names = new StaticArray<Text>(names.length);
    for (let i = 0; i < names.length; i++) this.names[i] = Text.of((i == 0 ? '{"' : ',"') + names[i] + '":');
  }

  /** Reads the totals of a key, zeros if there is no such key. false if the value is not what store writes: the reason is
   * given then, and the fold must answer Folded.Failed. */
  load(key: Text): bool {
    const count = this.names.length;
    this.key = key;
    this.numbers = room(<usize>count * Decimal.BYTES);
    if (batch.isOn) {
      const held = batch.held(this, key);
      if (held != 0) this.copy(this.numbers, held);
      if (held != 0 || batch.isBroken) return held != 0;
    }
    return this.fetch(key, this.numbers);
  }

  /** How many there are. */
  get length(): i32 {
    return this.names.length;
  }

  private copy(to: usize, from: usize): void {
    for (let i = 0, count = this.names.length; i < count; i++) {
      Decimal.at(to + <usize>i * Decimal.BYTES).become(Decimal.at(from + <usize>i * Decimal.BYTES));
    }
  }

  /** Reads the totals of a key, past any batch, to that place. */
  fetch(key: Text, to: usize): bool {
    const value = state.read(key);
    if (value == null) {
      for (let i = 0, count = this.names.length; i < count; i++) Decimal.at(to + <usize>i * Decimal.BYTES).setZero();
      return true;
    }
    if (this.read(value.at, value.at + value.len, to)) return true;
    fail(foreign(key));
    return false;
  }

  private read(at: usize, end: usize, to: usize): bool {
    for (let i = 0, count = this.names.length; i < count; i++) {
      const name = unchecked(this.names[i]);
      if (<i32>(end - at) < name.len || !same(at, name.at, name.len)) return false;
      at = Decimal.at(to + <usize>i * Decimal.BYTES).takeWritten(at + name.len, end);
      if (at == 0) return false;
    }
    return end - at == 1 && load<u8>(at) == 0x7d;
  }

  /** The total at that place, counted from 0. */
  // @ts-ignore: decorator
  @inline
  get(index: i32): Decimal {
    assert(<u32>index < <u32>this.names.length, "a total that there is not");
    return Decimal.at(this.numbers + <usize>index * Decimal.BYTES);
  }

  /** Adds to the total at that place; nothing if the number is null. false if the sum passes 90 digits before the point: the
   * reason is given then, and the fold must answer Folded.Failed. */
  // @ts-ignore: decorator
  @inline
  add(index: i32, number: Decimal | null): bool {
    return number == null || this.get(index).add(number) || this.overflow();
  }

  private overflow(): bool {
    fail(`the totals of key ${shown(this.key)} pass ${WHOLE_DIGITS} digits before the point, which is all that this view can count`);
    return false;
  }

  /** Writes the totals of the key that was loaded. */
  store(): void {
    const held = batch.isOn ? batch.dirty(this, this.key) : 0;
    if (held != 0) this.copy(held, this.numbers);
    else this.write(this.key, this.numbers);
  }

  /** Writes the totals at that place, past any batch. */
  write(key: Text, from: usize): void {
    const out = Writer.make(128);
    for (let i = 0, count = this.names.length; i < count; i++) {
      out.put(unchecked(this.names[i]));
      Decimal.at(from + <usize>i * Decimal.BYTES).put(out);
    }
    state.write(key, out.putByte(0x7d).text());
  }
}

/** What to fail with, or refuse, where the value of a key is not what this view writes. */
export function foreign(key: Text): string {
  return "the state of key " + shown(key) + " is not what this view writes; fold the log again as a new version of the view";
}
