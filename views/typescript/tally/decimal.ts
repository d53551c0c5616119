// Exact decimals in fixed point.

import { room } from "./memory";
import { Text } from "./text";
import { Writer } from "./writer";

const LIMB_DIGITS = 18;
const LIMB_BASE: u64 = 1000000000000000000;
const LIMBS = 8;
const FRACTION_LIMBS = 3;
const UNITS = FRACTION_LIMBS; // the limb of the whole numbers under 10^18

/** What a sum may have. */
export const WHOLE_DIGITS = (LIMBS - FRACTION_LIMBS) * LIMB_DIGITS;
const FRACTION_DIGITS = FRACTION_LIMBS * LIMB_DIGITS;

// What a number from an event or a configuration may have: enough for a token's smallest unit, of which there are 10^18. The
// product of two such is exact. 10^45 of the largest inputs can be added before the sum overflows, and 10^18 of their products with
// a price below 10^27: no log gets there.
const INPUT_WHOLE_DIGITS = 45;
const INPUT_FRACTION_DIGITS = 27;

// Half limbs, whose products fit 64 bits, and those that an input number may use. A product's lowest digit falls on the
// lowest half.
const HALF_DIGITS = LIMB_DIGITS / 2;
const HALF_BASE: u64 = 1000000000;
const HALVES = 2 * LIMBS;
const FIRST_HALF = 2 * FRACTION_LIMBS - INPUT_FRACTION_DIGITS / HALF_DIGITS;
const INPUT_HALVES = (INPUT_FRACTION_DIGITS + INPUT_WHOLE_DIGITS) / HALF_DIGITS;

const POWERS_OF_TEN = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
  100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
]);

// @ts-ignore: decorator
@inline
function powerOfTen(n: i32): u64 {
  return load<u64>(POWERS_OF_TEN + (<usize>n << 3));
}

/** An exact decimal number of up to 90 digits before the point and 54 after it. Nothing is ever rounded: an operation that would
 * have to says so instead. Good until the call of the server that made it ends. */
@unmanaged
export class Decimal {
  // Little-endian limbs of base 10^18 follow, the first FRACTION_LIMBS of them after the point. Zero is never negative. Where
  // small, as nearly every count is, the number is the limb of units and the other limbs are not set.
  private small: bool;
  private negative: bool;
  private padding: u32;

  /** Room for the numbers that arrays of decimals are made of. */
  static readonly BYTES: usize = 8 + 8 * LIMBS;

  /** A whole number. */
  // @ts-ignore: decorator
  @inline
  static from(n: u32): Decimal {
    return Decimal.at(room(Decimal.BYTES)).setUnits(n);
  }

  /** The decimal at that place, whose value is arbitrary as long as it was never set. */
  // @ts-ignore: decorator
  @inline
  static at(at: usize): Decimal {
    return changetype<Decimal>(at);
  }

  /** Reads a JSON number, exponents included, of up to 45 digits before the point and 27 after it. null if the text is not a number
   * or has a digit other than 0 beyond those. */
  // @ts-ignore: decorator
  @inline
  static parse(text: Text): Decimal | null {
    const number = Decimal.at(room(Decimal.BYTES));
    const end = text.at + text.len;
    return number.take(text.at, end, INPUT_WHOLE_DIGITS, INPUT_FRACTION_DIGITS) == end ? number : null;
  }

  // @ts-ignore: decorator
  @inline
  private limb(i: i32): u64 {
    return load<u64>(changetype<usize>(this) + (<usize>i << 3), 8);
  }

  // @ts-ignore: decorator
  @inline
  private setLimb(i: i32, limb: u64): void {
    store<u64>(changetype<usize>(this) + (<usize>i << 3), limb, 8);
  }

  /** The limb whether small or not. */
  // @ts-ignore: decorator
  @inline
  private limbOf(i: i32): u64 {
    return this.small && i != UNITS ? 0 : this.limb(i);
  }

  // @ts-ignore: decorator
  @inline
  private setUnits(n: u64): Decimal {
    this.small = true;
    this.negative = false;
    this.setLimb(UNITS, n);
    return this;
  }

  private setZeroLimbs(): void {
    this.small = false;
    this.negative = false;
    for (let i = 0; i < LIMBS; i++) this.setLimb(i, 0);
  }

  /** Gives a result that was calculated in all limbs its one form. */
  private settle(negative: bool): void {
    let others: u64 = 0;
    for (let i = 0; i < LIMBS; i++) others |= i == UNITS ? 0 : this.limb(i);
    this.negative = negative && (others | this.limb(UNITS)) != 0;
    this.small = others == 0 && !this.negative;
  }

  /** Becomes that number: one of units alone, as nearly every one is, without the rest of its room. */
  // @ts-ignore: decorator
  @inline
  become(other: Decimal): void {
    if (other.small) this.setUnits(other.limb(UNITS));
    else memory.copy(changetype<usize>(this), changetype<usize>(other), Decimal.BYTES);
  }

  /** Makes it zero. */
  setZero(): void {
    this.setUnits(0);
  }

  /** Whether the number is less than zero. */
  isNegative(): bool {
    return this.negative;
  }

  /** Whether the number is zero. */
  isZero(): bool {
    return this.small && this.limb(UNITS) == 0;
  }

  /** A copy. */
  copy(): Decimal {
    const number = Decimal.at(room(Decimal.BYTES));
    memory.copy(changetype<usize>(number), changetype<usize>(this), Decimal.BYTES);
    return number;
  }

  /** The number with the other sign, as a new one. */
  negated(): Decimal {
    const number = Decimal.at(room(Decimal.BYTES));
    for (let i = 0; i < LIMBS; i++) number.setLimb(i, this.limbOf(i));
    number.settle(!this.negative);
    return number;
  }

  /** -1, 0 or 1: whether the number is less than, equal to or greater than the other. */
  compare(other: Decimal): i32 {
    if (this.negative != other.negative) return this.negative ? -1 : 1;
    for (let i = LIMBS - 1; i >= 0; i--) {
      const a = this.limbOf(i);
      const b = other.limbOf(i);
      if (a != b) return a < b != this.negative ? -1 : 1;
    }
    return 0;
  }

  // ---- Calculating ----

  /** Adds in place; false if the sum passes 90 digits before the point, and the number is unspecified then. */
  // @ts-ignore: decorator
  @inline
  add(other: Decimal): bool {
    if (this.small && other.small) {
      const units = this.limb(UNITS) + other.limb(UNITS);
      if (units < LIMB_BASE) {
        this.setLimb(UNITS, units);
        return true;
      }
    }
    return this.addWide(other);
  }

  private addWide(other: Decimal): bool {
    if (this.negative == other.negative) return this.addMagnitude(other);
    this.subtractMagnitude(other);
    return true;
  }

  private addMagnitude(other: Decimal): bool {
    let carry: u64 = 0;
    for (let i = 0; i < LIMBS; i++) {
      const limb = this.limbOf(i) + other.limbOf(i) + carry;
      carry = u64(limb >= LIMB_BASE);
      this.setLimb(i, limb - carry * LIMB_BASE);
    }
    this.settle(this.negative);
    return carry == 0;
  }

  /** By magnitude; where the other is the larger one, its sign holds. */
  private subtractMagnitude(other: Decimal): void {
    let borrow: u64 = 0;
    for (let i = 0; i < LIMBS; i++) {
      const from = this.limbOf(i);
      const take = other.limbOf(i) + borrow;
      borrow = u64(from < take);
      this.setLimb(i, from + borrow * LIMB_BASE - take);
    }
    if (borrow == 0) {
      this.settle(this.negative);
      return;
    }
    // What is left is short of LIMB_BASE^LIMBS: complement it.
    for (let i = 0; i < LIMBS; i++) {
      const limb = LIMB_BASE - 1 - this.limb(i) + borrow;
      borrow = u64(limb == LIMB_BASE);
      this.setLimb(i, limb - borrow * LIMB_BASE);
    }
    this.settle(other.negative);
  }

  /** The exact product of two numbers as parse reads them, as a new one; null if one of them is larger or finer. */
  times(other: Decimal): Decimal | null {
    if (!this.isInput() || !other.isInput()) return null;
    const columns = room(8 * HALVES); // eight products under 10^18 and a carry fit
    memory.fill(columns, 0, 8 * HALVES);
    for (let i = 0; i < INPUT_HALVES; i++) {
      const left = this.half(FIRST_HALF + i);
      if (left == 0) continue;
      for (let j = 0; j < INPUT_HALVES; j++) {
        const at = columns + (<usize>(i + j) << 3);
        store<u64>(at, load<u64>(at) + left * other.half(FIRST_HALF + j));
      }
    }
    const product = Decimal.at(room(Decimal.BYTES));
    let carry: u64 = 0;
    for (let i = 0; i < LIMBS; i++) {
      const low = load<u64>(columns + (<usize>i << 4)) + carry;
      const high = load<u64>(columns + (<usize>i << 4), 8) + low / HALF_BASE;
      product.setLimb(i, (low % HALF_BASE) + (high % HALF_BASE) * HALF_BASE);
      carry = high / HALF_BASE;
    }
    product.settle(this.negative != other.negative);
    return product;
  }

  private half(i: i32): u64 {
    const limb = this.limbOf(i >> 1);
    return i & 1 ? limb / HALF_BASE : limb % HALF_BASE;
  }

  private isInput(): bool {
    for (let i = 0; i < HALVES; i++) {
      if ((i < FIRST_HALF || i >= FIRST_HALF + INPUT_HALVES) && this.half(i) != 0) return false;
    }
    return true;
  }

  // ---- Reading ----

  /** Takes a number as JSON writes it from the front of the text: where it ends; 0 if there is none, or it has a digit other
   * than 0 beyond those given, and the number is unspecified then. */
  // @ts-ignore: decorator
  @inline
  private take(at: usize, end: usize, wholeDigits: i32, fractionDigits: i32): usize {
    // What nearly every number is: 18 digits or fewer, and nothing else.
    let units: u64 = 0;
    let p = at;
    const limbEnd = min(end, at + LIMB_DIGITS);
    while (p < limbEnd) {
      const digit = <u32>load<u8>(p) - 0x30;
      if (digit > 9) break;
      units = units * 10 + digit;
      p++;
    }
    if (p == at || (p > at + 1 && load<u8>(at) == 0x30) || !ends(p, end)) {
      return this.takeOther(at, end, wholeDigits, fractionDigits);
    }
    this.setUnits(units);
    return p;
  }

  /** Takes a number that put has written. */
  // @ts-ignore: decorator
  @inline
  takeWritten(at: usize, end: usize): usize {
    return this.take(at, end, WHOLE_DIGITS, FRACTION_DIGITS);
  }

  private takeOther(at: usize, end: usize, wholeDigits: i32, fractionDigits: i32): usize {
    const negative = at < end && load<u8>(at) == 0x2d;
    const past = pastNumber(at, end);
    if (past == 0) return 0;
    return this.putTogether(negative, at + usize(negative), digitsEnd, whole, wholeDigits, fractionDigits) ? past : 0;
  }

  /** The value of digits with a point among them perhaps, of which the first stands for 10^(whole - 1). */
  private putTogether(negative: bool, p: usize, end: usize, whole: i32, wholeDigits: i32, fractionDigits: i32): bool {
    while (p < end && (load<u8>(p) == 0x30 || load<u8>(p) == 0x2e)) {
      if (load<u8>(p++) == 0x30) whole--;
    }
    if (p == end) {
      this.setUnits(0);
      return true;
    }
    while (load<u8>(end - 1) == 0x30 || load<u8>(end - 1) == 0x2e) end--; // a digit other than 0 is ahead
    let place = whole - 1;
    if (place >= wholeDigits) return false;
    this.setZeroLimbs();
    for (; p < end; p++) {
      const c = load<u8>(p);
      if (c == 0x2e) continue;
      if (place < -fractionDigits) return false;
      const index = place + FRACTION_DIGITS;
      const limb = index / LIMB_DIGITS;
      this.setLimb(limb, this.limb(limb) + u64(c - 0x30) * powerOfTen(index % LIMB_DIGITS));
      place--;
    }
    this.settle(negative);
    return true;
  }

  // ---- Writing ----

  /** Writes the shortest plain form: 0, -12, 0.5, 1482000; never an exponent. */
  put(out: Writer): void {
    if (this.small) {
      out.putNumber(this.limb(UNITS));
      return;
    }
    let high = LIMBS - 1;
    while (high > UNITS && this.limb(high) == 0) high--;
    if (this.negative) out.putByte(0x2d);
    out.putNumber(this.limb(high));
    for (let i = high - 1; i >= UNITS; i--) out.putNumber(this.limb(i), LIMB_DIGITS);
    let fraction: u64 = 0;
    for (let i = 0; i < FRACTION_LIMBS; i++) fraction |= this.limb(i);
    if (fraction == 0) return;
    out.putByte(0x2e);
    for (let i = FRACTION_LIMBS - 1; i >= 0; i--) out.putNumber(this.limb(i), LIMB_DIGITS);
    out.trim(0x30);
  }

  /** The same as a string. */
  toString(): string {
    const out = Writer.make();
    this.put(out);
    return out.text().toString();
  }
}

// What pastNumber has found beside the end: where the digits end, with a point among them perhaps, and that the first of them stands
// for 10^(whole - 1).
let digitsEnd: usize = 0;
let whole: i32 = 0;

/** Where the number ends, as JSON writes it, that starts there; 0 if there is none. */
function pastNumber(at: usize, end: usize): usize {
  const digits = at + usize(at < end && load<u8>(at) == 0x2d);
  at = pastDigits(digits, end);
  whole = <i32>(at - digits);
  if (whole == 0 || (whole > 1 && load<u8>(digits) == 0x30)) return 0;
  if (at < end && load<u8>(at) == 0x2e) {
    const fraction = at + 1;
    at = pastDigits(fraction, end);
    if (at == fraction) return 0;
  }
  digitsEnd = at;
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    const below = at < end && load<u8>(at) == 0x2d;
    if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) at++;
    const exponentAt = at;
    at = pastDigits(at, end);
    if (at == exponentAt) return 0;
    const exponent = readExponent(exponentAt, at);
    whole += below ? -exponent : exponent;
  }
  return at;
}

/** Whether the text is a JSON number, of however many digits. */
export function isNumber(text: Text): bool {
  return text.len > 0 && pastNumber(text.at, text.at + text.len) == text.at + text.len;
}

function pastDigits(at: usize, end: usize): usize {
  while (at < end && <u32>load<u8>(at) - 0x30 <= 9) at++;
  return at;
}

function readExponent(at: usize, end: usize): i32 {
  const LIMIT = 100000000; // far out of range, far from wrapping
  let exponent = 0;
  for (; at < end; at++) {
    if (exponent < LIMIT) exponent = exponent * 10 + (<i32>load<u8>(at) - 0x30);
  }
  return exponent;
}

/** Whether no more of a number follows its first digits. */
// @ts-ignore: decorator
@inline
function ends(at: usize, end: usize): bool {
  if (at == end) return true;
  const c = <u32>load<u8>(at);
  return c - 0x30 > 9 && c != 0x2e && (c | 0x20) != 0x65;
}
