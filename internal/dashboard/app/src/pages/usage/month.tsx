import { approximate } from "../../core/format";
import { useResource } from "../../core/resource";
import { client } from "../../core/session";
import { Figure, Section } from "../../ui/page";
import { Problem } from "../../ui/states";
import { Num } from "../../ui/values";
import { change, scaled, sum } from "./decimals";
import { hour, quarterHour, useFollowing } from "./live";
import { isAdditive, valueOf, type MeterAnswer, type MeterConfig } from "./meter";
import { bounds, type Span } from "./range";
import { grown } from "./totals";
import { dayAt, monthFrom, startOf } from "./zoned";

const day = 86_400_000;
const week = 7 * day;

/**
 * The running month, and what it comes to if usage goes on at the rate of the last seven days: what is there so far, and that rate for the
 * time that is left. Where usage began less than seven days ago, the rate is that since it began.
 */
export function RunningMonth(props: {
  log: string;
  view: string;
  aggregation: string;
  zone: string;
  config: MeterConfig;
  sequence: number | undefined;
}) {
  const { log, view, aggregation, zone, config } = props;
  const added = isAdditive(aggregation);
  const today = dayAt(hour.value, zone);
  const from = startOf(monthFrom(today, 0), zone);
  const to = startOf(monthFrom(today, 1), zone);
  const before = { from: startOf(monthFrom(today, -1), zone), to: from };
  const now =
    config.resolution === "day" ? startOf(today, zone) : config.resolution === "hour" ? hour.value : quarterHour.value;
  const ask = async (span: Span, signal: AbortSignal, more = {}) => {
    const question = { timezone: zone, aggregation, ...bounds(span), ...more };
    const { answer } = await client.value.queryView<MeterAnswer>(log, view, question, { signal });
    return answer.rows;
  };
  const total = async (span: Span, signal: AbortSignal) => {
    const [row] = await ask(span, signal);
    return (row && valueOf(row, aggregation)) ?? "0";
  };
  // Whether there was usage before the last seven days is asked once: a refusal, of a log too large for it, says that there was.
  const began = useResource(
    added
      ? async (signal) => {
          if (approximate(await total({ to: now - week }, signal).catch(() => "1")) !== 0) return now - week;
          const window = config.resolution === "day" ? "day" : "hour";
          const [first] = await ask({ from: now - week }, signal, { window, limit: 1 });
          return first?.from ? Date.parse(first.from) : now - week;
        }
      : undefined,
    [log, view, aggregation, zone, hour.value],
  );
  const month = useFollowing(
    added
      ? async (signal) => ({
          soFar: await total({ from, to }, signal),
          passed: await total({ from, to: Math.max(now, from + 1) }, signal),
          recent: await total({ from: now - week, to: now }, signal),
          before: await total(before, signal),
        })
      : undefined,
    [log, view, aggregation, zone, from, now],
    props.sequence,
  );
  if (!added) return null;
  const length = Math.max(now - (began.data ?? now - week), 3_600_000);
  const left = to - now;
  const rate = month.data && scaled(month.data.recent, day, length, 0);
  const rest = month.data && scaled(month.data.recent, left, length, placesOf(month.data.recent));
  const forecast =
    month.data && began.data !== undefined && rest !== undefined ? sum([month.data.passed, rest]) : undefined;
  const elapsed = Math.min(1, (now - from) / (to - from));
  return (
    <Section title="This month" note={`${aggregation}, by the clock of ${zone}`}>
      {month.error && <Problem error={month.error} retry={month.reload} stale={month.data !== undefined} />}
      <dl class="figures usage-figures">
        <Figure name="So far" note={`${(elapsed * 100).toFixed(0)} % of the month has passed.`}>
          <Num of={month.data?.soFar} />
        </Figure>
        <Figure
          name="Forecast for the month"
          note={month.data && forecast !== undefined && againstBefore(change(forecast, month.data.before))}
        >
          {forecast === undefined ? (
            <Num of={undefined} />
          ) : (
            <>
              ≈ <Num of={forecast} />
            </>
          )}
        </Figure>
        <Figure name="The month before">
          <Num of={month.data?.before} />
        </Figure>
      </dl>
      <p class="note">
        The forecast is what is there until now, and for the {(left / day).toFixed(1)} days that are left the rate of
        the last {length >= week ? "7 days" : `${(length / day).toFixed(1)} days, since usage began`}: <Num of={rate} />{" "}
        a day.
      </p>
    </Section>
  );
}

function againstBefore(percent: number | undefined): string {
  return percent === undefined ? "Nothing to compare with." : `${grown(percent)} against the month before.`;
}

/** Places after the point for an estimate: two for small numbers, else none. */
function placesOf(value: string): number {
  return Math.abs(approximate(value)) < 100 ? 2 : 0;
}
