// What a view leaves out, counted by reason: nobody should have to find out from a bill.

import { fail } from "./guest";
import * as state from "./state";
import { Text } from "./text";
import { foreign } from "./totals";
import { Writer } from "./writer";

/** The member after the counts. */
const LAST = Text.of("last_sequence");

/** Digits of a count that is read. */
const MOST_DIGITS = 18;

/** Counts values that the view leaves out of its totals, by reason, under a key of their own:
 * {"tokens_in_not_a_number":2,"last_sequence":17}. Reasons are of lower-case letters and _; a null is none, and nothing is written
 * without one. false if the value of the key is not what this writes: the reason is given then, and the fold must answer
 * Folded.Failed. */
export function noteUncounted(key: Text, reasons: (string | null)[], sequence: i64): bool {
  const counts = new Counts();
  const value = state.get(key);
  if (value != null && !counts.read(value)) {
    fail(foreign(key));
    return false;
  }
  let noted = false;
  for (let i = 0; i < reasons.length; i++) {
    const reason = reasons[i];
    if (reason == null) continue;
    counts.add(Text.of(reason));
    noted = true;
  }
  if (noted) state.setPlain(key, counts.written(sequence));
  return true;
}

/** How many values were left out, by the value that noteUncounted wrote: the sum over all reasons; -1 where the value is another
 * one. */
export function sumUncounted(value: Text): i64 {
  const counts = new Counts();
  if (!counts.read(value)) return -1;
  let sum: i64 = 0;
  for (let i = 0; i < counts.numbers.length; i++) sum += counts.numbers[i];
  return sum;
}

class Counts {
  private reasons: Text[] = [];
  numbers: i64[] = [];

  add(reason: Text): void {
    for (let i = 0; i < this.reasons.length; i++) {
      if (!this.reasons[i].equals(reason)) continue;
      this.numbers[i]++;
      return;
    }
    this.push(reason, 1);
  }

  private push(reason: Text, n: i64): void {
    this.reasons.push(reason);
    this.numbers.push(n);
  }

  written(sequence: i64): Text {
    const out = Writer.make(128).beginObject();
    for (let i = 0; i < this.reasons.length; i++) out.name(this.reasons[i]).integer(this.numbers[i]);
    return out.name(LAST).integer(sequence).endObject().text();
  }

  /** A value is read back only as it was written. */
  read(value: Text): bool {
    if (value.byte(0) != 0x7b) return false;
    let at = 1;
    while (true) {
      const quote = value.byte(at) == 0x22 ? value.indexOf(0x22, at + 1) : -1;
      if (quote < 0 || value.byte(quote + 1) != 0x3a) return false;
      const name = value.slice(at + 1, quote);
      if (!isReason(name)) return false;
      const digits = quote + 2;
      let n: i64 = 0;
      for (at = digits; at < digits + MOST_DIGITS && <u32>value.byte(at) - 0x30 <= 9; at++) n = n * 10 + value.byte(at) - 0x30;
      if (at == digits || (at > digits + 1 && value.byte(digits) == 0x30)) return false;
      if (name.equals(LAST)) return value.byte(at) == 0x7d && at + 1 == value.len;
      if (value.byte(at) != 0x2c) return false;
      this.push(name, n);
      at++;
    }
    return false; // for the compiler
  }
}

function isReason(name: Text): bool {
  if (name.len == 0) return false;
  for (let i = 0; i < name.len; i++) {
    const c = name.byte(i);
    if (c != 0x5f && <u32>c - 0x61 > 25) return false;
  }
  return true;
}
