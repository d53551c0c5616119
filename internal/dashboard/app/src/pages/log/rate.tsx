import { useEffect, useState } from "preact/hooks";
import { rounded } from "../../core/format";
import { Chart } from "../../ui/chart";

const every = 2; // seconds from one point of the chart to the next
const kept = 90; // points: three minutes

interface Points {
  times: readonly number[];
  rates: readonly (number | null)[];
}

/** Events a second, from one look at the head to the next; the chart has the last three minutes. */
export function useRates(sequence: number | undefined): { rate: number | undefined; points: Points } {
  const [points, setPoints] = useState<Points>(begun);
  const [latest] = useState<{ sequence: number | undefined; at: number; before: number | undefined }>(() => ({
    sequence,
    at: performance.now(),
    before: undefined,
  }));
  latest.sequence = sequence;
  useEffect(() => {
    const timer = window.setInterval(() => {
      const { sequence: now, before, at } = latest;
      const time = performance.now();
      const seconds = (time - at) / 1000;
      latest.before = now;
      latest.at = time;
      // A page that was hidden has not looked: there is a gap.
      const looked = now !== undefined && before !== undefined && seconds < 3 * every;
      const rate = looked ? Math.max(0, now - before) / seconds : null;
      setPoints(({ times, rates }) => ({
        times: [...times.slice(1 - kept), Date.now() / 1000],
        rates: [...rates.slice(1 - kept), rate],
      }));
    }, every * 1000);
    return () => window.clearInterval(timer);
  }, [latest]);
  return { rate: points.rates.at(-1) ?? undefined, points };
}

/** A chart that has its whole width from the beginning, with nothing in it. */
function begun(): Points {
  const now = Date.now() / 1000;
  return {
    times: Array.from({ length: kept }, (_, i) => now - (kept - 1 - i) * every),
    rates: Array.from({ length: kept }, () => null),
  };
}

export function RateChart(props: { points: Points }) {
  return (
    <Chart
      name="Events a second, over the last three minutes"
      times={props.points.times}
      series={[{ name: "events a second", values: props.points.rates }]}
      height={130}
      format={rounded}
    />
  );
}
