import type { Schemas } from "@tallystick/client";
import { useEffect, useMemo, useState } from "preact/hooks";
import { approximate, exact } from "../../core/format";
import { go, route } from "../../core/route";
import { client } from "../../core/session";
import { Chart, type Series } from "../../ui/chart";
import { Section } from "../../ui/page";
import { Empty, Loading, Problem } from "../../ui/states";
import { useChoice, type Choice } from "./choice";
import { Controls } from "./controls";
import { GroupTotals } from "./groups";
import { useAnswer, useFollowing } from "./live";
import { drawn, meterConfig, valueOf, windowText, type Drawn, type MeterAnswer, type MeterRow } from "./meter";
import { RunningMonth } from "./month";
import { Numbers } from "./numbers";
import { bounds, type Range } from "./range";
import { Totals } from "./totals";
import { Uncounted } from "./uncounted";
import { instant, windowsIn } from "./zoned";

const mostRows = 5_000; // of an answer that is watched

const names = { all: "All", others: (count: number) => `${count} others` };

/** What a meter has counted, by windows and groups, as it grows. */
export function MeterUsage(props: { log: string; view: Schemas["View"] }) {
  const { log, view } = props;
  const settings = JSON.stringify(view.config);
  const config = useMemo(() => meterConfig(view.config), [settings]);
  const choice = useChoice(config);
  const asked = { log, view: view.name };
  const base = { timezone: choice.zone, ...bounds(choice.range) };
  const windowed = { ...base, window: choice.window, limit: mostRows };
  const wish = JSON.stringify([windowed, choice.groups]);
  const [tooMany, setTooMany] = useState(""); // the wish whose groups are too many for one answer
  const groups = tooMany === wish ? [] : choice.groups;
  const question = { ...windowed, group_by: groups.length > 0 ? groups.join(",") : undefined };
  const { told, error } = useAnswer<Plan, MeterAnswer>(log, view.name, question, { choice, groups, wish });
  useEffect(() => {
    if (told?.answer.next !== undefined && told.plan.groups.length > 0) setTooMany(told.plan.wish);
  }, [told]);
  const before = useBefore(asked, choice, told?.sequence);
  return (
    <>
      <RunningMonth
        {...asked}
        aggregation={choice.aggregation}
        zone={choice.zone}
        config={config}
        sequence={told?.sequence}
      />
      <Section title="Usage" note={noteOf(choice)}>
        <Controls config={config} choice={choice} />
        <Totals
          {...asked}
          choice={choice}
          config={config}
          sequence={told?.sequence}
          uncounted={told?.answer.uncounted}
        />
        {error && <Problem error={error} stale={told !== undefined} />}
        {tooMany === wish && (
          <p class="note">
            There are too many groups for one chart. It shows all of them together; their totals are below.
          </p>
        )}
        <div class="usage-chart">
          {told ? (
            <Windows told={told.plan} answer={told.answer} before={before} name={view.name} />
          ) : (
            !error && <Loading lines={9} />
          )}
        </div>
      </Section>
      {choice.groups.length > 0 && (
        <GroupTotals {...asked} choice={choice} aggregations={config.aggregations} sequence={told?.sequence} />
      )}
      {told && (
        <Numbers
          view={view.name}
          plan={told.plan}
          answer={told.answer}
          aggregations={config.aggregations}
          before={before}
        />
      )}
      <Uncounted {...asked} count={told?.answer.uncounted} sequence={told?.sequence} />
    </>
  );
}

/** What an answer was asked for. */
export interface Plan {
  choice: Choice;
  groups: readonly string[];
  wish: string;
}

function noteOf(choice: Choice): string {
  const { range, zone } = choice;
  if (range.from === undefined && range.to === undefined) return `By the clock of ${zone}.`;
  return range.name === "own" && !isWholeDays(route.value.query)
    ? `From ${range.from === undefined ? "the first" : instant(range.from)} to ${range.to === undefined ? "now" : instant(range.to)}.`
    : `By the clock of ${zone}.`;
}

function isWholeDays(query: Readonly<Record<string, string>>): boolean {
  return !/T/.test(`${query["from"] ?? ""}${query["to"] ?? ""}`);
}

/** The windows of the period before, by their place in it; undefined where it is not compared with. */
export type Before = readonly (MeterRow | undefined)[];

function useBefore(
  asked: { log: string; view: string },
  choice: Choice,
  sequence: number | undefined,
): Before | undefined {
  const { range, window, zone } = choice;
  const span = choice.compare ? range.before : undefined;
  const load =
    span &&
    (async (signal: AbortSignal) => {
      const question = { window, timezone: zone, ...bounds(span), limit: mostRows };
      const { answer } = await client.value.queryView<MeterAnswer>(asked.log, asked.view, question, { signal });
      const rows = new Map(answer.rows.map((row) => [Date.parse(row.from ?? ""), row]));
      return windowsIn(span.from, span.to, window, zone, mostRows).map((at) => rows.get(at));
    });
  const rows = useFollowing(load, [asked.log, asked.view, window, zone, span?.from, span?.to], sequence);
  return span && rows.data;
}

function Windows(props: { told: Plan; answer: MeterAnswer; before: Before | undefined; name: string }) {
  const { told, answer, before } = props;
  const { range, window, zone, aggregation } = told.choice;
  const chart = useMemo(
    () => drawn(answer.rows, { span: range, window, zone, aggregation, groups: told.groups, names }),
    [answer, told],
  );
  const compare = useMemo(() => before && comparison(before, aggregation, chart), [before, chart]);
  const sum = useMemo(
    () => chart.sums && { name: "Together", texts: chart.sums.map((one) => one && exact(one)) },
    [chart],
  );
  const series = useMemo(() => chart.series.map(readable), [chart]);
  const labels = useMemo(() => labelsOf(answer, chart, zone), [answer, chart]);
  if (answer.rows.length === 0) return <Empty title="Nothing was counted in this range." />;
  return (
    <>
      <Chart
        name={`${props.name}: ${aggregation} by ${window.replace("_", " ")}`}
        times={chart.times}
        end={chart.end}
        series={series}
        compare={compare}
        kind={chart.kind}
        sum={sum}
        zone={zone}
        height={300}
        label={(at) => labels(at)}
        onRange={(from, to) => zoom(chart, range, from, to)}
      />
      {chart.kind === "line" && chart.groups > chart.shown && (
        <p class="note">
          The largest {chart.shown} of {chart.groups} groups: {aggregation} cannot be added up for the others.
        </p>
      )}
    </>
  );
}

function readable(one: Series): Series {
  return { ...one, texts: one.texts?.map((text) => text && exact(text)) };
}

function comparison(before: Before, aggregation: string, chart: Drawn): Series {
  const texts = chart.times.map((_, at) => {
    const row = before[at];
    return row && valueOf(row, aggregation);
  });
  const missing = chart.kind === "line" ? null : 0;
  const isPast = (at: number) => at >= before.length;
  return {
    name: "The period before",
    values: texts.map((text, at) => (text === undefined ? (isPast(at) ? null : missing) : approximate(text))),
    texts: texts.map((text) => text && exact(text)),
  };
}

/** What each window is called: as its rows say, or by the clock of the zone where it has none. */
function labelsOf(answer: MeterAnswer, chart: Drawn, zone: string): (at: number) => string {
  const names = new Map<number, string>();
  for (const row of answer.rows) names.set(Date.parse(row.from ?? "") / 1000, windowText(row.from, answer.window));
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return (at) => {
    const time = chart.times[at] ?? 0;
    return names.get(time) ?? windowText(clock.format(time * 1000).replace(" ", "T"), answer.window);
  };
}

/** Shows the windows that were drawn over. Going back in the browser's history leads back. */
function zoom(chart: Drawn, range: Range, from: number, to: number): void {
  const first = chart.times.findLast((at) => at <= from) ?? chart.times[0];
  const next = chart.times.find((at) => at >= to) ?? chart.end;
  const isAll = first === chart.times[0] && (next === undefined || next === chart.end);
  if (first === undefined || next === undefined || next <= first || (isAll && range.from !== undefined)) return;
  const { path, query } = route.value;
  go(path, { ...query, range: "own", from: instant(first * 1000), to: instant(next * 1000), window: "" });
}
