import { ExactNumber } from "@tallystick/client";
import { approximate } from "../../core/format";
import { visible } from "../../ui/json";
import { mostColors, type Series } from "../../ui/plot";
import { sum } from "./decimals";
import { windowsIn, type WindowName } from "./zoned";
import { mostWindows, type Resolution, type Span } from "./range";

/** The value of a group, as answers have it. */
export type GroupValue = string | number | boolean | bigint | null | ExactNumber | { number: string };

/** A row of a meter's answer; its aggregations are its further members. */
export interface MeterRow {
  from: string | null;
  to: string | null;
  group?: Record<string, GroupValue>;
  [aggregation: string]: unknown;
}

export interface MeterAnswer {
  timezone: string;
  tz_data: string;
  resolution: Resolution;
  window?: WindowName;
  uncounted: number;
  rows: MeterRow[];
  next?: string;
}

/** What of a meter's configuration a page needs. It was checked when it was deployed. */
export interface MeterConfig {
  aggregations: string[];
  groups: string[];
  resolution: Resolution;
  zone: string;
}

export function meterConfig(config: unknown): MeterConfig {
  const { aggregations, group_by, resolution, timezone } = (config ?? {}) as Record<string, unknown>;
  return {
    aggregations: Array.isArray(aggregations) && aggregations.length > 0 ? aggregations.map(String) : ["count"],
    groups: Object.keys((group_by as object | undefined) ?? {}),
    resolution: (resolution as Resolution | undefined) ?? "quarter_hour",
    zone: typeof timezone === "string" ? timezone : "UTC",
  };
}

/** Whether the sum of an aggregation's parts is that of the whole: others cannot be stacked, nor forecast. */
export function isAdditive(aggregation: string): boolean {
  return aggregation === "sum" || aggregation === "count";
}

/** The value of an aggregation in a row, as it was sent. */
export function valueOf(row: MeterRow, aggregation: string): string | undefined {
  const value = Object.hasOwn(row, aggregation) ? row[aggregation] : undefined;
  if (value instanceof ExactNumber) return value.toString();
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

/** A group's value as it is read: a text that reads as something else, or as nothing, is in quotes. */
export function valueText(value: GroupValue | undefined, none = "(none)"): string {
  if (value === null || value === undefined) return none;
  if (typeof value !== "string")
    return typeof value === "object" && "number" in value ? value.number : value.toString();
  const isPlain = value !== "" && !/^(-?\d+(\.\d+)?|true|false|\(none\))$/.test(value);
  return visible(isPlain ? shortened(value) : JSON.stringify(value));
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** The values of a row's groups, in the order of their names. */
export function groupText(row: MeterRow, names: readonly string[], none?: string): string {
  return names.map((name) => valueText(member(row, name), none)).join(" · ");
}

export function member(row: MeterRow, name: string): GroupValue | undefined {
  return row.group && Object.hasOwn(row.group, name) ? row.group[name] : undefined;
}

/** What a chart shows of an answer. */
export interface Drawn {
  /** Where windows begin, in seconds, and where the last one ends. */
  times: number[];
  end: number | undefined;
  series: Series[];
  /** The exact sum of a window's rows, where they can be added. */
  sums: (string | undefined)[] | undefined;
  kind: "stacked" | "line";
  /** How many groups there are, and how many have a series of their own. */
  groups: number;
  shown: number;
}

/**
 * Rows as series: one for each of the largest groups, and one for all others together where that can be added. Windows of the span without
 * rows are 0 where rows are added up, and gaps elsewhere.
 */
export function drawn(
  rows: readonly MeterRow[],
  asked: { span: Span; window: WindowName; zone: string; aggregation: string; groups: readonly string[]; names: Names },
): Drawn {
  const { aggregation, groups, names } = asked;
  const times = timesOf(rows, asked);
  const places = new Map(times.map((at, i) => [at, i]));
  const added = isAdditive(aggregation);
  const parts = new Map<string, { values: (number | null)[]; texts: (string | undefined)[]; all: number }>();
  const exact: string[][] = times.map(() => []);
  let end = asked.span.to === undefined ? undefined : asked.span.to / 1000;
  for (const row of rows) {
    const place = places.get(Date.parse(row.from ?? "") / 1000);
    const text = valueOf(row, aggregation);
    if (place === undefined || text === undefined) continue;
    const name = groups.length > 0 ? groupText(row, groups, names.none) : names.all;
    let part = parts.get(name);
    if (!part) {
      part = { values: times.map(() => (added ? 0 : null)), texts: times.map(() => undefined), all: 0 };
      parts.set(name, part);
    }
    part.values[place] = approximate(text);
    part.texts[place] = text;
    part.all += Math.abs(approximate(text));
    exact[place]?.push(text);
    if (asked.span.to === undefined) end = Math.max(end ?? 0, Date.parse(row.to ?? "") / 1000);
  }
  const ranked = [...parts.entries()].sort(([, a], [, b]) => b.all - a.all);
  const own = ranked.length > mostColors ? mostColors - 1 : ranked.length;
  const series: Series[] = ranked.slice(0, own).map(([name, { values, texts }]) => ({ name, values, texts }));
  const rest = ranked.slice(own).map(([, part]) => part);
  if (added && rest.length > 0) {
    const texts = times.map((_, at) => sum(rest.map((part) => part.texts[at])));
    const values = texts.map((text) => (text === undefined ? 0 : approximate(text)));
    series.push({ name: names.others(rest.length), values, texts });
  }
  if (series.length === 0) series.push({ name: names.all, values: times.map(() => (added ? 0 : null)) });
  const sums = added && groups.length > 0 ? exact.map((texts) => sum(texts)) : undefined;
  return { times, end, series, sums, kind: added ? "stacked" : "line", groups: parts.size, shown: own };
}

/** What series are called that have no group's name. */
export interface Names {
  all: string;
  others: (count: number) => string;
  /** Of events without a value for a group. */
  none?: string;
}

function timesOf(rows: readonly MeterRow[], asked: { span: Span; window: WindowName; zone: string }): number[] {
  const times = new Set<number>();
  for (const row of rows) {
    const at = Date.parse(row.from ?? "");
    if (!Number.isNaN(at)) times.add(at);
  }
  const from = asked.span.from ?? min(times);
  const to = asked.span.to ?? max(times);
  if (from !== undefined && to !== undefined) {
    for (const at of windowsIn(from, to, asked.window, asked.zone, mostWindows)) times.add(at);
  }
  return [...times].sort((a, b) => a - b).map((at) => at / 1000);
}

function min(times: Iterable<number>): number | undefined {
  let least: number | undefined;
  for (const at of times) if (least === undefined || at < least) least = at;
  return least;
}

function max(times: Iterable<number>): number | undefined {
  let most: number | undefined;
  for (const at of times) if (most === undefined || at > most) most = at;
  return most;
}

/** The beginning of a window as its row has it, by the clock of the question's zone: no shorter than tells it from its neighbours. */
export function windowText(from: string | null, window: WindowName | undefined): string {
  if (from === null) return "–";
  if (window === "month") return from.slice(0, 7);
  if (window === "day" || window === "week") return from.slice(0, 10);
  return `${from.slice(0, 10)} ${from.slice(11, 16)}`;
}
