import uPlot from "uplot";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { rounded, when } from "../core/format";
import { indexAt, mostBars, plotData, plotOptions, seriesColor, type ChartKind, type Plot, type Series } from "./plot";

export interface ChartProps {
  name: string;
  /** Seconds since 1970, rising. */
  times: readonly number[];
  /** Where the last of the times ends, for bars. */
  end?: number | undefined;
  series: readonly Series[];
  /** What is compared with, such as the period before: a dashed line. */
  compare?: Series | undefined;
  kind?: ChartKind;
  height?: number;
  /** A value as the axis shows it, and the hover where a series has no texts. */
  format?: ((value: number) => string) | undefined;
  /** What the hover calls a time. */
  label?: ((at: number) => string) | undefined;
  /** What all series come to at a time, with its name, where that is of use. */
  sum?: { name: string; texts: readonly (string | undefined)[] } | undefined;
  /** The IANA zone of the axis; the viewer's own without. */
  zone?: string | undefined;
  language?: string | undefined;
  onRange?: ((from: number, to: number) => void) | undefined;
  /** Called when it has drawn; with how many values. */
  onDrawn?: ((values: number) => void) | undefined;
}

/** A chart in colours of the style sheet; another `look` has it read them again. */
export function Plotted(props: ChartProps & { look: string }) {
  const { times, series, compare, kind = "line", height = 220, format = rounded, zone, language, end, look } = props;
  const plot: Plot = { times, end, series, compare, kind, zone, language, format };
  const box = useRef<HTMLDivElement>(null);
  const made = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ props, plot });
  latest.current = { props, plot };
  const [at, setAt] = useState<number | undefined>(undefined);
  const summary = useId();
  const names = [...series, ...(compare ? [compare] : [])].map((one) => one.name).join("\u0000");
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const hooks = {
      onRange: (from: number, to: number) => latest.current.props.onRange?.(from, to),
      onCursor: (chart: uPlot) => setAt(indexAt(latest.current.plot, chart)),
      onDrawn: () =>
        latest.current.props.onDrawn?.(latest.current.plot.times.length * latest.current.plot.series.length),
    };
    const chart = new uPlot(plotOptions(element, plot, height, hooks), plotData(plot), element);
    made.current = chart;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
      made.current = undefined;
    };
  }, [names, compare === undefined, kind, height, look, zone, language, end, times.length > mostBars]);
  const told = useMemo(() => summaryOf(props, format), [times, series, format]);
  const fresh = useRef(true);
  useEffect(() => {
    if (!fresh.current) made.current?.setData(plotData(plot));
    fresh.current = false;
  }, [times, series, compare, kind]);
  const chosen = at !== undefined && at < times.length ? at : undefined;
  const move = (to: number) => {
    const chart = made.current;
    const next = Math.max(0, Math.min(times.length - 1, to));
    chart?.setCursor({ left: chart.valToPos(times[next] ?? 0, "x") + (kind === "line" ? 0 : 1), top: 0 });
    setAt(next);
  };
  return (
    <figure class="chart">
      <div class="chart-frame">
        <div
          ref={box}
          class="chart-box"
          role="img"
          aria-label={props.name}
          aria-describedby={summary}
          style={{ height: `${height}px` }}
        />
        {times.length > 0 && (
          <div
            class="chart-cursor"
            role="slider"
            tabIndex={0}
            aria-label={`${props.name}: values`}
            aria-valuemin={0}
            aria-valuemax={times.length - 1}
            aria-valuenow={chosen ?? times.length - 1}
            aria-valuetext={spoken(props, chosen ?? times.length - 1, format)}
            onFocus={() => move(times.length - 1)}
            onBlur={() => made.current?.setCursor({ left: -10, top: -10 })}
            onKeyDown={(event) => {
              const to = target(event.key, chosen ?? times.length - 1, times.length);
              if (to === undefined) return;
              event.preventDefault();
              move(to);
            }}
          />
        )}
        {chosen !== undefined && made.current && <Tip of={props} at={chosen} format={format} chart={made.current} />}
      </div>
      <p id={summary} class="unseen">
        {told}
      </p>
      {(series.length > 1 || compare) && (
        <figcaption class="legend">
          {series.map((one, i) => (
            <span key={one.name} class="legend-item">
              <span class="swatch" style={{ background: seriesColor(i) }} />
              <bdi>{one.name}</bdi>
            </span>
          ))}
          {compare && (
            <span class="legend-item">
              <span class="swatch dashed" />
              <bdi>{compare.name}</bdi>
            </span>
          )}
        </figcaption>
      )}
    </figure>
  );
}

/** The values of a time, beside the pointer. */
function Tip(props: { of: ChartProps; at: number; format: (value: number) => string; chart: uPlot }) {
  const { of, at, chart } = props;
  const left = chart.valToPos(of.times[at] ?? 0, "x") + chart.over.offsetLeft;
  const isRight = left > chart.width / 2;
  const rows = rowsAt(of, at, props.format);
  return (
    <div
      class="chart-tip"
      aria-hidden="true"
      style={isRight ? { right: `${chart.width - left + 14}px` } : { left: `${left + 22}px` }}
    >
      <p class="chart-tip-head">{labelOf(of, at)}</p>
      <table>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i} class={row.kind}>
              <th scope="row">
                {row.color !== undefined && <span class="swatch" style={{ background: row.color }} />}
                {row.kind === "compare" && <span class="swatch dashed" />}
                <bdi>{row.name}</bdi>
              </th>
              <td class="num">{row.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TipRow {
  name: string;
  text: string;
  kind: "" | "sum" | "compare";
  color?: string;
}

function rowsAt(of: ChartProps, at: number, format: (value: number) => string): TipRow[] {
  const textOf = (one: Series) => {
    const value = one.values[at];
    return one.texts?.[at] ?? (value === null || value === undefined ? undefined : format(value));
  };
  const rows: TipRow[] = [];
  for (const [i, one] of of.series.entries()) {
    const text = textOf(one);
    if (text !== undefined) rows.push({ name: one.name, text, kind: "", color: seriesColor(i) });
  }
  const sum = of.sum?.texts[at];
  if (of.sum && sum !== undefined) rows.push({ name: of.sum.name, text: sum, kind: "sum" });
  const before = of.compare && textOf(of.compare);
  if (of.compare && before !== undefined) rows.push({ name: of.compare.name, text: before, kind: "compare" });
  if (rows.length === 0) rows.push({ name: "–", text: "", kind: "" });
  return rows;
}

function labelOf(of: ChartProps, at: number): string {
  return of.label?.(at) ?? when(new Date((of.times[at] ?? 0) * 1000));
}

function spoken(of: ChartProps, at: number, format: (value: number) => string): string {
  return `${labelOf(of, at)}: ${rowsAt(of, at, format)
    .map((row) => `${row.name} ${row.text}`)
    .join(", ")}`;
}

function target(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };
  const step = steps[key];
  if (step !== undefined) return at + step;
  return key === "Home" ? 0 : key === "End" ? count - 1 : undefined;
}

/** What a chart shows, in a sentence for those who do not see it. */
function summaryOf(of: ChartProps, format: (value: number) => string): string {
  const count = of.times.length;
  if (count === 0) return "–";
  let most = 0;
  let mostAt = 0;
  for (let at = 0; at < count; at++) {
    let all = 0;
    for (const one of of.series)
      all = of.kind === "stacked" ? all + (one.values[at] ?? 0) : Math.max(all, one.values[at] ?? 0);
    if (all > most) [most, mostAt] = [all, at];
  }
  return `${labelOf(of, 0)} – ${labelOf(of, count - 1)} (${count}); max ${of.sum?.texts[mostAt] ?? format(most)}: ${labelOf(of, mostAt)}`;
}
