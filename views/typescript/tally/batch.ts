// Batches: many events in one call, whose totals are held here until its end. What Totals.load has read once is not read again, and
// what Totals.store was given is written once. The state after the batch is the same, byte for byte, as after its events one by one;
// where that is in doubt the batch fails, and the server folds them so.

import { Decimal } from "./decimal";
import { isKept } from "./memory";
import { copy, same, Text } from "./text";
import { Totals } from "./totals";

/** Of the hash table: a power of two, and room to spare beside MOST_HELD. */
const SLOTS = 128;
/** Keys after which all are written before the next event, and bytes of them. */
const MOST_HELD = 64;
const MOST_BYTES: usize = 8192;
const ROOM_BYTES = 10240;
/** Totals of a key. */
const MOST_TOTALS = 16;
/** Loads of an event. They bound what the batch spares an event of gas, to what docs/abi.md allows. */
const MOST_LOADS = 16;
/** Room for events: a batch of some eighty. A single larger one goes where tally_alloc says. */
export const EVENT_BYTES = 24576;

export const EVENTS: usize = memory.data(EVENT_BYTES, 8);
const TABLE: usize = memory.data(SLOTS * 4, 8); // where what is held of a key is; 0 if nothing is
const ROOM: usize = memory.data(ROOM_BYTES, 8);

/** Whether a batch is being folded. */
export let isOn = false;

let top: usize = ROOM;
let count = 0;
let loads = 0; // of the event
let recent: Held | null = null;

/** A key whose totals are held. The totals follow, and then the key. */
@unmanaged
class Held {
  totals: usize; // whose, as an address
  keyAt: usize;
  keyLen: i32;
  known: bool;
  dirty: bool;
  padding: u16;

  // @ts-ignore: decorator
  @inline
  get numbers(): usize {
    return changetype<usize>(this) + offsetof<Held>();
  }

  // @ts-ignore: decorator
  @inline
  isOf(key: Text): bool {
    return this.keyLen == key.len && same(this.keyAt, key.at, key.len);
  }

  get size(): usize {
    return (this.keyAt + this.keyLen - changetype<usize>(this) + 7) & ~7;
  }

  write(): void {
    if (!this.dirty) return;
    changetype<Totals>(this.totals).write(Text.at(this.keyAt, this.keyLen), this.numbers);
    this.dirty = false;
  }
}

function hash(key: Text): u32 {
  const MIX: u64 = 0x9e3779b97f4a7c15;
  let h = <u64>key.len;
  let at = key.at;
  let n = key.len;
  for (; n >= 8; n -= 8, at += 8) {
    h = (h ^ load<u64>(at)) * MIX;
    h ^= h >> 32;
  }
  let rest: u64 = 0;
  for (; n > 0; n--, at++) rest = (rest << 8) | <u64>load<u8>(at);
  return <u32>(((h ^ rest) * MIX) >> 40);
}

/** The slot where the key is, or could be. */
function find(key: Text): usize {
  let slot = TABLE + (<usize>(hash(key) % SLOTS) << 2);
  while (load<usize>(slot) != 0 && !changetype<Held>(load<usize>(slot)).isOf(key)) {
    slot = slot + 4 == TABLE + SLOTS * 4 ? TABLE : slot + 4;
  }
  return slot;
}

/** What is held of a key; null if nothing is. */
// @ts-ignore: decorator
@inline
function lookup(key: Text): Held | null {
  const last = recent;
  if (last != null && last.isOf(key)) return last;
  const held = changetype<Held | null>(load<usize>(find(key)));
  recent = held;
  return held;
}

/** Holds one more key; null if it cannot be. Totals that are made in the fold are as good as another's, so they are not held. */
function hold(totals: Totals, key: Text): Held | null {
  const n = totals.length;
  const numbers = <usize>n * Decimal.BYTES;
  if (n > MOST_TOTALS || !isKept(changetype<usize>(totals)) ||
      top + offsetof<Held>() + numbers + key.len + 8 > ROOM + <usize>ROOM_BYTES) return null;
  const held = changetype<Held>(top);
  held.totals = changetype<usize>(totals);
  held.keyAt = held.numbers + numbers;
  held.keyLen = key.len;
  held.known = false;
  held.dirty = false;
  copy(held.keyAt, key.at, key.len);
  top += held.size;
  count++;
  store<usize>(find(key), changetype<usize>(held));
  recent = held;
  return held;
}

/** Where the totals are that the batch holds of a key: read now where they were not yet. 0 if it does not hold them; isBroken tells
 * whether that is because they cannot be read. */
export function held(totals: Totals, key: Text): usize {
  loads++;
  isBroken = false;
  let found = lookup(key);
  if (found == null) found = hold(totals, key);
  if (found == null) return 0;
  if (found.totals != changetype<usize>(totals)) {
    forget(key); // one key in two frames: past the batch
    return 0;
  }
  if (!found.known) {
    isBroken = !totals.fetch(key, found.numbers);
    if (isBroken) return 0;
    found.known = true;
  }
  return found.numbers;
}

export let isBroken = false;

/** Where totals are to be put that the batch is to write; 0 if it does not hold those of this key. */
export function dirty(totals: Totals, key: Text): usize {
  const found = lookup(key);
  if (found == null) return 0;
  if (!found.known || found.totals != changetype<usize>(totals)) {
    forget(key);
    return 0;
  }
  found.dirty = true;
  return found.numbers;
}

/** Writes what is held of a key, which is about to be read or written in another way. */
export function forget(key: Text): void {
  const found = changetype<Held | null>(load<usize>(find(key)));
  if (found == null) return;
  found.write();
  found.known = false;
}

/** Writes what is held of all keys. */
export function writeAll(): void {
  for (let at = ROOM; at < top; at += changetype<Held>(at).size) changetype<Held>(at).write();
}

function forgetAll(): void {
  if (count > 0) memory.fill(TABLE, 0, SLOTS * 4);
  top = ROOM;
  count = 0;
  recent = null;
}

export function begin(): void {
  isOn = true;
}

export function beginEvent(): void {
  loads = 0;
}

/** Whether the batch can go on after an event: one of many totals is folded alone. */
export function endEvent(): bool {
  if (loads > MOST_LOADS) return false;
  if (count >= MOST_HELD || top - ROOM >= MOST_BYTES) {
    writeAll();
    forgetAll();
  }
  return true;
}

export function end(): void {
  isOn = false;
  forgetAll();
}
