// Days and months by the clock of a time zone. Times are milliseconds since 1970. They are for axes and questions: what is counted in which
// window the server decides, and its rows say where theirs begin.

/** A date of a calendar; the month counts from 1. */
export interface Day {
  year: number;
  month: number;
  day: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string): Intl.DateTimeFormat {
  let known = clocks.get(zone);
  if (!known) {
    const numeric = "numeric";
    known = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
    clocks.set(zone, known);
  }
  return known;
}

/** Whether the browser knows a zone of this name. */
export function isZone(name: string): boolean {
  try {
    clock(name);
    return true;
  } catch {
    return false;
  }
}

function read(ms: number, zone: string): Day & { hour: number; minute: number; second: number } {
  const found = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of clock(zone).formatToParts(ms)) {
    if (type in found) found[type as keyof typeof found] = Number(value);
  }
  return found;
}

/** The date that a zone's clock shows. */
export function dayAt(ms: number, zone: string): Day {
  const { year, month, day } = read(ms, zone);
  return { year, month, day };
}

/** By how much a zone's clock is ahead of UTC. */
function offset(ms: number, zone: string): number {
  const at = read(ms, zone);
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) - Math.floor(ms / 1000) * 1000;
}

/** When a day begins by a zone's clock. Days and months beyond their ends are carried over: the 32nd of January is the 1st of February. */
export function startOf(day: Day, zone: string): number {
  const wanted = Date.UTC(day.year, day.month - 1, day.day);
  const near = wanted - offset(wanted, zone);
  return wanted - offset(near, zone);
}

export function addDays({ year, month, day }: Day, count: number): Day {
  const at = new Date(Date.UTC(year, month - 1, day + count));
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
}

/** The first day of the month that is so many months later. */
export function monthFrom({ year, month }: Day, count: number): Day {
  return addDays({ year, month: month + count, day: 1 }, 0);
}

/** As ISO 8601 writes a date: 2025-03-01. */
export function dateText({ year, month, day }: Day): string {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** The date that a text is, or undefined. */
export function readDate(text: string): Day | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return undefined;
  const day = { year: Number(parts[1]), month: Number(parts[2]), day: Number(parts[3]) };
  return dateText(addDays(day, 0)) === text ? day : undefined;
}

export type WindowName = "minute" | "quarter_hour" | "hour" | "day" | "week" | "month";

const lengths: Readonly<Record<WindowName, number>> = {
  minute: 60_000,
  quarter_hour: 900_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30.4 * 86_400_000,
};

/** About how long a window is. */
export function lengthOf(window: WindowName): number {
  return lengths[window];
}

/** Where the windows begin that lie in a span of time, the one in which it begins included; no more than `most`. */
export function windowsIn(from: number, to: number, window: WindowName, zone: string, most: number): number[] {
  const found: number[] = [];
  if (window === "minute" || window === "quarter_hour" || window === "hour") {
    const ahead = offset(from, zone);
    const step = lengths[window];
    for (let at = Math.floor((from + ahead) / step) * step - ahead; at < to && found.length < most; at += step) {
      found.push(Math.max(at, from));
    }
    return found;
  }
  let day = dayAt(from, zone);
  if (window === "month") day = monthFrom(day, 0);
  if (window === "week")
    day = addDays(day, -((new Date(Date.UTC(day.year, day.month - 1, day.day)).getUTCDay() + 6) % 7));
  for (;;) {
    const at = startOf(day, zone);
    if (at >= to || found.length >= most) return found;
    found.push(Math.max(at, from));
    day = window === "month" ? monthFrom(day, 1) : addDays(day, window === "week" ? 7 : 1);
  }
}

/** As questions take a time: RFC 3339, in UTC, to the second. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
