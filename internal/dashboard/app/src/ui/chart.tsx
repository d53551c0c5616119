import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import { rounded } from "../core/format";
import { isDark } from "../core/theme";

/** A line or band of a chart. Values stand for the times of the chart; null is a gap. */
export interface Series {
  name: string;
  values: readonly (number | null)[];
}

/** The colours of series, in light and dark, told apart also by those who do not see all colours (after Okabe and Ito). */
const palette = {
  light: ["#8a4a0b", "#0072b2", "#007a5a", "#b3488c", "#7a6a00", "#4b5fc4", "#c2410c", "#52525b"],
  dark: ["#f0b25b", "#56b4e9", "#2fc796", "#e08ac0", "#e6d84a", "#9aa8ff", "#ff8f5e", "#b8b8c0"],
};

/** The colour of the n-th series, for legends and tables beside a chart. */
export function seriesColor(n: number): string {
  const colors = isDark.value ? palette.dark : palette.light;
  return colors[n % colors.length] ?? "currentColor";
}

/**
 * A chart over time. It keeps its height whatever comes, redraws in place when the data change, and is named for screen readers, which
 * find its numbers in the table beside it.
 */
export function Chart(props: {
  name: string;
  /** Seconds since 1970, rising. */
  times: readonly number[];
  series: readonly Series[];
  kind?: "line" | "stacked" | "bars";
  height?: number;
  /** A value as the axis and the legend show it. */
  format?: (value: number) => string;
  onRange?: (from: number, to: number) => void;
}) {
  const { times, series, kind = "line", height = 220, format = rounded } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const names = series.map((one) => one.name).join("\u0000");
  const dark = isDark.value;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(
      options(element, series, kind, height, format, (from, to) => latest.current.onRange?.(from, to)),
      data(times, series, kind),
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [names, kind, height, dark]);
  useEffect(() => plot.current?.setData(data(times, series, kind)), [times, series, kind]);
  return (
    <figure class="chart">
      <div ref={box} class="chart-box" role="img" aria-label={props.name} style={{ height: `${height}px` }} />
      {series.length > 1 && (
        <figcaption class="legend">
          {series.map((one, i) => (
            <span key={one.name} class="legend-item">
              <span class="swatch" style={{ background: seriesColor(i) }} />
              <bdi>{one.name}</bdi>
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

function data(times: readonly number[], series: readonly Series[], kind: string): uPlot.AlignedData {
  const values = series.map((one) => [...one.values]);
  if (kind === "stacked") {
    // Each band is drawn from the sum of those before it.
    for (let i = 1; i < values.length; i++) {
      const below = values[i - 1];
      const own = values[i];
      for (let at = 0; own && below && at < times.length; at++) own[at] = (own[at] ?? 0) + (below[at] ?? 0);
    }
  }
  return [[...times], ...values];
}

function options(
  element: HTMLElement,
  series: readonly Series[],
  kind: string,
  height: number,
  format: (value: number) => string,
  onRange: (from: number, to: number) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const grid = { stroke: style.getPropertyValue("--line"), width: 1 };
  const axis = {
    stroke: style.getPropertyValue("--dim"),
    grid,
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  const bars = uPlot.paths.bars?.({ size: [0.8, 60] });
  return {
    width: element.clientWidth || 600,
    height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, size: 30 },
      { ...axis, size: 56, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...series.map((one, i) => ({
        label: one.name,
        stroke: seriesColor(i),
        width: kind === "line" ? 1.75 : 1,
        ...(kind === "line" ? {} : { fill: `${seriesColor(i)}${kind === "bars" ? "cc" : "55"}` }),
        ...(kind === "line" || !bars ? {} : { paths: bars }),
        points: { show: false },
      })),
    ],
    ...(kind === "stacked" ? { bands: bandsOf(series.length) } : {}),
    hooks: {
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width > 4) onRange(made.posToVal(left, "x"), made.posToVal(left + width, "x"));
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function bandsOf(count: number): uPlot.Band[] {
  return Array.from({ length: Math.max(0, count - 1) }, (_, i) => ({ series: [i + 2, i + 1] as [number, number] }));
}
