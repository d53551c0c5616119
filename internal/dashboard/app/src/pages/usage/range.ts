import { addDays, dayAt, instant, lengthOf, monthFrom, readDate, startOf, type Day, type WindowName } from "./zoned";

export type RangeName = "24h" | "7d" | "30d" | "month" | "last-month" | "year" | "all" | "own";

/** A span of time, in milliseconds since 1970; open where it has no bound. */
export interface Span {
  from?: number | undefined;
  to?: number | undefined;
}

export interface Range extends Span {
  name: RangeName;
  /** The period before, of the same kind. */
  before?: { from: number; to: number } | undefined;
}

const dayLength = 86_400_000;

/** The span that a choice means at a time, by the clock of a zone. `own` is of days, or of instants where a chart was zoomed. */
export function rangeOf(name: RangeName, own: { from: string; to: string }, zone: string, now: number): Range {
  const today = dayAt(now, zone);
  const days = (from: Day, to: Day) => ({ from: startOf(from, zone), to: startOf(to, zone) });
  const last = (count: number): Range => ({
    name,
    ...days(addDays(today, 1 - count), addDays(today, 1)),
    before: days(addDays(today, 1 - 2 * count), addDays(today, 1 - count)),
  });
  const months = (from: number, count: number): Range => ({
    name,
    ...days(monthFrom(today, from), monthFrom(today, from + count)),
    before: days(monthFrom(today, from - count), monthFrom(today, from)),
  });
  switch (name) {
    case "24h": {
      const to = Math.floor(now / 3_600_000) * 3_600_000 + 3_600_000;
      return { name, from: to - dayLength, to, before: { from: to - 2 * dayLength, to: to - dayLength } };
    }
    case "7d":
      return last(7);
    case "30d":
      return last(30);
    case "month":
      return months(0, 1);
    case "last-month":
      return months(-1, 1);
    case "year":
      return months(1 - today.month, 12);
    case "all":
      return { name };
    case "own":
      return ownRange(own, zone);
  }
}

function ownRange(own: { from: string; to: string }, zone: string): Range {
  const from = moment(own.from, zone);
  const to = moment(own.to, zone);
  if (from === undefined || to === undefined || from >= to)
    return { name: "own", from, to: to === from ? undefined : to };
  const [first, end] = [readDate(own.from), readDate(own.to)];
  if (!first || !end) return { name: "own", from, to, before: { from: from - (to - from), to: from } };
  const count = Math.round(
    (Date.UTC(end.year, end.month - 1, end.day) - Date.UTC(first.year, first.month - 1, first.day)) / dayLength,
  );
  return { name: "own", from, to, before: { from: startOf(addDays(first, -count), zone), to: from } };
}

/** When a date begins by a zone's clock, or the moment that an RFC 3339 text is. */
function moment(text: string, zone: string): number | undefined {
  const day = readDate(text);
  if (day) return startOf(day, zone);
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000) * 1000;
}

/** The bounds as a question has them. */
export function bounds({ from, to }: Span): { from?: string | undefined; to?: string | undefined } {
  return { from: from === undefined ? undefined : instant(from), to: to === undefined ? undefined : instant(to) };
}

export type Resolution = "minute" | "quarter_hour" | "hour" | "day";

const windowNames: readonly WindowName[] = ["minute", "quarter_hour", "hour", "day", "week", "month"];

/** More windows than a chart or a reader wants; the server would answer more, page by page. */
export const mostWindows = 3_000;

/** The windows that a meter of a resolution has, and that a span is not cut into too many of. */
export function windowsFor(resolution: Resolution, { from, to }: Span, now: number): WindowName[] {
  const length = from === undefined ? undefined : (to ?? now + dayLength) - from;
  return windowNames
    .slice(windowNames.indexOf(resolution))
    .filter((window) =>
      length === undefined ? lengthOf(window) >= dayLength : length / lengthOf(window) <= mostWindows,
    );
}

/** The window that suits a span: some dozens of bars. */
export function usualWindow(resolution: Resolution, span: Span, now: number): WindowName {
  const offered = windowsFor(resolution, span, now);
  if (span.from === undefined) return offered.includes("month") ? "month" : "day";
  const length = (span.to ?? now + dayLength) - span.from;
  const wanted: WindowName =
    length <= 3 * 3_600_000 ? "minute" : length <= 3 * dayLength ? "hour" : length <= 100 * dayLength ? "day" : "month";
  const finest = offered[0] ?? "month";
  return windowNames.indexOf(wanted) < windowNames.indexOf(finest) ? finest : wanted;
}
