// UTC dates, months and RFC 3339. A time is in microseconds since 1970-01-01T00:00:00Z, as the server counts it.

import { Text } from "./text";

const SECOND: i64 = 1000000;
const DAY: i64 = 86400 * SECOND;
const LEAP_SECOND = 60;

// Years are counted from March here, so that the leap day is a year's last, in eras of 400 years, which all have the same
// number of days.
const DAYS_TO_1970: i64 = 719468; // from 0000-03-01
const ERA_DAYS: i64 = 146097;
const ERA_YEARS: i64 = 400;

function floorDivide(n: i64, by: i64): i64 {
  return n / by - i64(n % by < 0);
}

/** A day of the Gregorian calendar, which is taken to have been in use always. */
export class Date {
  /** year 0 is the year before 1; month 1 to 12; day 1 to 31. */
  constructor(public year: i64, public month: i32, public day: i32) {}

  /** The UTC day of a time. */
  static of(time: i64): Date {
    return Date.ofDays(floorDivide(time, DAY));
  }

  /** The day that many days after 1970-01-01. */
  static ofDays(days: i64): Date {
    days += DAYS_TO_1970;
    const era = floorDivide(days, ERA_DAYS);
    let day = <i32>(days - era * ERA_DAYS);
    const year = (day - day / 1460 + day / 36524 - day / 146096) / 365; // four years, a century, an era, less a day
    day -= year * 365 + year / 4 - year / 100;
    const month = (5 * day + 2) / 153; // 0 is March; five months have 153 days
    return new Date(era * ERA_YEARS + year + i64(month >= 10), month < 10 ? month + 3 : month - 9, day - (153 * month + 2) / 5 + 1);
  }

  /** How many days after 1970-01-01 the date is. */
  days(): i64 {
    const year = this.year - i64(this.month <= 2);
    const era = floorDivide(year, ERA_YEARS);
    const ofEra = year - era * ERA_YEARS;
    const month = this.month > 2 ? this.month - 3 : this.month + 9;
    const day = (153 * month + 2) / 5 + this.day - 1;
    return era * ERA_DAYS + ofEra * 365 + ofEra / 4 - ofEra / 100 + day - DAYS_TO_1970;
  }

  /** Whether there is such a day. */
  exists(): bool {
    if (this.month < 1 || this.month > 12 || this.day < 1) return false;
    const leap = this.year % 4 == 0 && (this.year % 100 != 0 || this.year % 400 == 0);
    const short = this.month == 4 || this.month == 6 || this.month == 9 || this.month == 11;
    return this.day <= (this.month == 2 ? 28 + i32(leap) : short ? 30 : 31);
  }
}

const MONTH_BYTES = 7;

// The day of the last time that was requested, since most events follow one of their day, and its month as text.
let dayStart: i64 = 0; // no time is between them at first
let dayEnd: i64 = 0;
const month = memory.data(MONTH_BYTES);

/** The UTC month of a time, as in 2025-03; null if its year does not have four digits. */
// @ts-ignore: decorator
@inline
export function monthOf(time: i64): Text | null {
  if ((time < dayStart || time >= dayEnd) && !remember(time)) return null;
  return Text.at(month, MONTH_BYTES);
}

function remember(time: i64): bool {
  const day = floorDivide(time, DAY);
  const date = Date.ofDays(day);
  if (date.year < 0 || date.year > 9999) return false;
  let year = <i32>date.year;
  for (let at = month + 3; at >= month; at--) {
    store<u8>(at, <u8>(0x30 + (year % 10)));
    year /= 10;
  }
  store<u8>(month + 4, 0x2d);
  store<u8>(month + 5, <u8>(0x30 + date.month / 10));
  store<u8>(month + 6, <u8>(0x30 + (date.month % 10)));
  dayStart = day * DAY;
  dayEnd = dayStart + DAY;
  return true;
}

/** Whether the text is a month, as in 2025-03. */
export function isMonth(text: Text): bool {
  const reader = new Reader(text);
  reader.digits(4);
  reader.byte(0x2d);
  const number = reader.digits(2);
  return reader.atEnd() && number >= 1 && number <= 12;
}

/** What parseTime answers where the text is no time. */
export const NO_TIME: i64 = i64.MIN_VALUE;

/** Reads an RFC 3339 time, to the microsecond; NO_TIME where the text is none. A space counts as the + that it is where a query
 * string carries an offset unescaped. A leap second, 23:59:60 in UTC, is the second after it, as everywhere where leap seconds are
 * not counted. */
export function parseTime(text: Text): i64 {
  const reader = new Reader(text);
  const year = reader.digits(4);
  reader.byte(0x2d);
  const number = reader.digits(2);
  reader.byte(0x2d);
  const date = new Date(year, number, reader.digits(2));
  if (reader.next() == 0x74) reader.byte(0x74);
  else reader.byte(0x54);
  const hour = reader.digits(2);
  reader.byte(0x3a);
  const minute = reader.digits(2);
  reader.byte(0x3a);
  const second = reader.digits(2);
  const fraction = reader.fraction();
  const offset = reader.offset();
  if (!reader.atEnd() || !date.exists() || hour > 23 || minute > 59 || second > LEAP_SECOND) return NO_TIME;
  const ofDay = (<i64>(hour * 3600 + minute * 60 + second) - offset) * SECOND;
  if (second == LEAP_SECOND && ofDay % DAY != 0) return NO_TIME; // it does not end a day of UTC
  return date.days() * DAY + ofDay + fraction;
}

/** Takes a time apart from the front. What is not there as it should be spoils the whole. */
class Reader {
  private at: i32 = 0;
  private bad: bool = false;

  constructor(private text: Text) {}

  /** Whether all was read, and as it should be. */
  atEnd(): bool {
    return !this.bad && this.at == this.text.len;
  }

  /** The next byte, which stays; -1 at the end. */
  next(): i32 {
    return this.text.byte(this.at);
  }

  byte(wanted: i32): void {
    this.bad = this.bad || this.next() != wanted;
    this.at++;
  }

  private isDigit(): bool {
    return <u32>this.next() - 0x30 <= 9;
  }

  digits(n: i32): i32 {
    let number = 0;
    while (n-- > 0) {
      this.bad = this.bad || !this.isDigit();
      number = number * 10 + this.next() - 0x30;
      this.at++;
    }
    return number;
  }

  /** Microseconds from .123456789 or nothing; what is below a microsecond does not count. */
  fraction(): i64 {
    if (this.next() != 0x2e) return 0;
    this.byte(0x2e);
    let unit = SECOND / 10;
    let microseconds = <i64>this.digits(1) * unit;
    while (this.isDigit()) {
      unit /= 10;
      microseconds += <i64>this.digits(1) * unit;
    }
    return microseconds;
  }

  /** Seconds east of UTC. */
  offset(): i64 {
    const sign = this.next();
    this.at++;
    if (sign == 0x5a || sign == 0x7a) return 0;
    this.bad = this.bad || (sign != 0x2b && sign != 0x2d && sign != 0x20);
    const hours = this.digits(2);
    this.byte(0x3a);
    const minutes = this.digits(2);
    this.bad = this.bad || hours > 23 || minutes > 59;
    const seconds = <i64>(hours * 60 + minutes) * 60;
    return sign == 0x2d ? -seconds : seconds;
  }
}
