import uPlot from "uplot";

/** A line or band of a chart. Values stand for the times of the chart; null is a gap. */
export interface Series {
  name: string;
  values: readonly (number | null)[];
  /** The values as they are to be read, digit by digit; without, they are rounded. */
  texts?: readonly (string | undefined)[] | undefined;
}

export type ChartKind = "line" | "stacked" | "bars";

/** What a chart draws. */
export interface Plot {
  /** Seconds since 1970, rising. */
  times: readonly number[];
  /** Where the last of the times ends, for bars, each of which reaches from its time to the next. */
  end?: number | undefined;
  series: readonly Series[];
  /** What is compared with, such as the period before: a dashed line. */
  compare?: Series | undefined;
  /** Stacked bars are sums, so each series stands on those before it. */
  kind: ChartKind;
  /** The IANA zone of the axis; the viewer's own without. */
  zone?: string | undefined;
  /** The language of the names of months. */
  language?: string | undefined;
  format: (value: number) => string;
}

export const mostColors = 8;

/** From so many on, bars are narrower than a pixel, and areas look the same. */
export const mostBars = 2000;

/** The colour of the n-th series, for legends and tables beside a chart. */
export function seriesColor(n: number): string {
  return `var(--series-${(n % mostColors) + 1})`;
}

/** The sums of stacked series, drawn from the highest to the lowest, so that of each only its own part is seen. */
export function plotData({ times, series, compare, kind }: Plot): uPlot.AlignedData {
  let values = series.map((one) => one.values);
  if (kind === "stacked") {
    let below: readonly (number | null)[] = [];
    values = values.map((own) => (below = own.map((value, at) => (value ?? 0) + (below[at] ?? 0))));
    values.reverse();
  }
  if (compare) values.push(compare.values);
  return [times, ...values] as unknown as uPlot.AlignedData; // which it only reads
}

/** Where on the axis a position is: the window that it lies in, for bars; else the nearest time. */
export function indexAt(plot: Plot, made: uPlot): number | undefined {
  const { left, idx } = made.cursor;
  if (left === undefined || left < 0 || idx === null || idx === undefined) return undefined;
  const isLater = plot.kind !== "line" && (plot.times[idx] ?? 0) > made.posToVal(left, "x");
  return Math.max(0, isLater ? idx - 1 : idx);
}

export function plotOptions(
  element: HTMLElement,
  plot: Plot,
  height: number,
  hooks: { onRange: (from: number, to: number) => void; onCursor: (made: uPlot) => void; onDrawn: () => void },
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--dim"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  const { kind, series, compare, zone } = plot;
  const isBars = kind !== "line" && plot.times.length <= mostBars;
  const drawn = series.map((one, i) => shape(one, color(`--series-${(i % mostColors) + 1}`), kind, isBars));
  if (kind === "stacked") drawn.reverse();
  if (compare) drawn.push(comparison(compare, color("--ink"), kind));
  return {
    width: element.clientWidth || 600,
    height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: kind === "line", size: 6 }, y: false },
    scales: {
      x: { range: (made, min, max) => [min, kind === "line" ? max : endOf(made, max)] },
      y: { range: (_, min, max) => [Math.min(0, min * 1.08), max > 0 ? max * 1.08 : min < 0 ? 0 : 1] },
    },
    ...(zone === undefined ? {} : { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone) }),
    fmtDate: (template) => uPlot.fmtDate(template, monthsIn(plot.language ?? "en")),
    axes: [
      { ...axis, size: 40, values: timeLabels },
      { ...axis, size: 56, values: (_, splits) => splits.map(plot.format) },
    ],
    series: [{}, ...drawn],
    hooks: {
      draw: [hooks.onDrawn],
      setCursor: [hooks.onCursor],
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width > 4) hooks.onRange(made.posToVal(left, "x"), made.posToVal(left + width, "x"));
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };

  function endOf(made: uPlot, max: number): number {
    if (plot.end !== undefined && plot.end > max) return plot.end;
    const times = made.data[0];
    return max + (times.length > 1 ? max - (times[times.length - 2] ?? max) : 3600);
  }
}

function shape(one: Series, color: string, kind: ChartKind, isBars: boolean): uPlot.Series {
  const bars = isBars ? uPlot.paths.bars?.({ size: [0.82, 72], align: 1 }) : undefined;
  const points = { show: false };
  if (kind === "line") return { label: one.name, stroke: color, width: 1.75, points };
  return { label: one.name, stroke: color, fill: color, width: 0, ...(bars ? { paths: bars } : {}), points };
}

function comparison(one: Series, color: string, kind: ChartKind): uPlot.Series {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    label: one.name,
    stroke: color,
    width: 1.5,
    dash: [4, 4],
    points: { show: false },
    ...(kind === "line" || !stepped ? {} : { paths: stepped }),
  };
}

// For each least distance of ticks: how a tick is written, and what is added where the year, month or day is another than before.
const timeLabels: uPlot.Axis.Values = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [2_419_200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
];

const names = new Map<string, uPlot.DateNames>();

function monthsIn(language: string): uPlot.DateNames {
  const known = names.get(language);
  if (known) return known;
  const of = (month: "long" | "short") => {
    const format = new Intl.DateTimeFormat(language, { month, timeZone: "UTC" });
    return Array.from({ length: 12 }, (_, n) => format.format(Date.UTC(2024, n)));
  };
  const made = { MMMM: of("long"), MMM: of("short"), WWWW: [], WWW: [] };
  names.set(language, made);
  return made;
}
