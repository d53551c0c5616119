import { useMemo } from "preact/hooks";
import { client } from "../../core/session";
import { Figure } from "../../ui/page";
import { Num } from "../../ui/values";
import type { Choice } from "./choice";
import { change } from "./decimals";
import { quarterHour, useFollowing } from "./live";
import { valueOf, type MeterAnswer, type MeterConfig } from "./meter";
import { bounds, type Span } from "./range";
import { dayAt, startOf } from "./zoned";

/** What all windows of the range come to, and what the period before did. */
export function Totals(props: {
  log: string;
  view: string;
  choice: Choice;
  config: MeterConfig;
  sequence: number | undefined;
  uncounted: number | undefined;
}) {
  const { log, view, choice, config } = props;
  const { range, zone, aggregation } = choice;
  const quarter = quarterHour.value;
  const same = useMemo(() => samePart(choice, config, quarter), [choice, config, quarter]);
  const totals = useFollowing(
    async (signal) => {
      const of = async (span: Span) => {
        const question = { timezone: zone, ...bounds(span) };
        const { answer } = await client.value.queryView<MeterAnswer>(log, view, question, { signal });
        return answer.rows[0];
      };
      const before = choice.compare && same ? of(same.span) : undefined;
      return { now: await of(range), before: await before };
    },
    [log, view, zone, range.from, range.to, choice.compare, same?.span.from, same?.span.to],
    props.sequence,
  );
  const total = totals.data?.now && valueOf(totals.data.now, aggregation);
  const was = totals.data?.before && valueOf(totals.data.before, aggregation);
  const more = total === undefined || was === undefined ? undefined : change(total, was);
  return (
    <dl class="figures usage-figures">
      <Figure name={`In this range, ${aggregation}`}>
        <Num of={totals.data && (total ?? (aggregation === "count" ? 0 : undefined))} />
      </Figure>
      {choice.compare && (
        <Figure name={same?.isPart ? "The same part of the period before" : "The period before"} note={grown(more)}>
          <Num of={was} />
        </Figure>
      )}
      <Figure
        name="Not counted, or not in full"
        {...((props.uncounted ?? 0) > 0 ? { tone: "warn" as const, note: "The reasons are below." } : {})}
      >
        <Num of={props.uncounted} />
      </Figure>
    </dl>
  );
}

/** A change in percent, to a tenth. */
export function grown(percent: number | undefined): string {
  if (percent === undefined) return "No value to compare with.";
  const text = Math.abs(percent).toFixed(1);
  return text === "0.0" ? "0.0 %" : `${percent > 0 ? "+" : "−"}${text} %`;
}

/** Of the period before, as much as has passed of this one: whole parts of the meter's resolution. */
function samePart(choice: Choice, config: MeterConfig, now: number): { span: Span; isPart: boolean } | undefined {
  const { range, zone } = choice;
  const { before, from, to } = range;
  if (!before || from === undefined || to === undefined) return undefined;
  if (now >= to || now < from) return { span: before, isPart: false };
  const hours = Math.floor(now / 3_600_000) * 3_600_000;
  const passed =
    config.resolution === "day" ? startOf(dayAt(now, zone), zone) : config.resolution === "hour" ? hours : now;
  const end = Math.min(before.to, before.from + (passed - from));
  return { span: { from: before.from, to: Math.max(end, before.from + 1) }, isPart: true };
}
