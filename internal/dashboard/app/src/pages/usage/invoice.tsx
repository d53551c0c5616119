import type { Schemas } from "@tallystick/client";
import { now } from "../../core/clock";
import { refine, route } from "../../core/route";
import { Field } from "../../ui/form";
import { Figure, Section } from "../../ui/page";
import { Empty, Loading, Problem } from "../../ui/states";
import { Table, type Column } from "../../ui/table";
import { Name, Num } from "../../ui/values";
import { csv, save } from "./csv";
import { scaled, share, sum } from "./decimals";
import { useAnswer } from "./live";

/** What cost_by_team answers for a team in a month; numbers are exact, as texts or as the SDK reads them. */
interface TeamTotals {
  requests: unknown;
  tokens_in: unknown;
  tokens_out: unknown;
  cost: string;
  unpriced: unknown;
  uncounted?: unknown;
}

type Line = TeamTotals & { team: string };

const forecastPlaces = 2; // digits after the point: it is an estimate

/** The lines of a month's invoice, by team, as cost_by_team has them; of the running month with what it comes to at the present rate. */
export function InvoiceUsage(props: { log: string; view: Schemas["View"] }) {
  const { log, view } = props;
  const running = new Date(now.value).toISOString().slice(0, "2026-11".length);
  const month = /^\d{4}-\d{2}$/.test(route.value.query["month"] ?? "")
    ? (route.value.query["month"] ?? running)
    : running;
  const { told, error } = useAnswer<string, Record<string, TeamTotals>>(log, view.name, { month }, month);
  const lines = Object.entries(told?.answer ?? {}).map(([team, totals]): Line => ({ ...totals, team }));
  const total = sum(lines.map((line) => line.cost)) ?? "0";
  const passed = month === running ? passedOf(month, now.value) : undefined;
  return (
    <>
      <Section
        title="Invoice lines"
        note="By the calendar of UTC; costs by the prices in the view’s configuration."
        actions={
          <button type="button" class="small" onClick={() => save(`${log}-${month}.csv`, asCsv(lines))}>
            Save as CSV
          </button>
        }
      >
        <div class="filters">
          <Field name="Month">
            {(id) => (
              <input
                id={id}
                type="month"
                value={month}
                onInput={(event) =>
                  refine({ month: event.currentTarget.value === running ? "" : event.currentTarget.value })
                }
              />
            )}
          </Field>
        </div>
        <dl class="figures">
          <Figure name={passed === undefined ? "In the month" : "So far"}>
            <Num of={total} />
          </Figure>
          {passed !== undefined && (
            <Figure
              name="Forecast for the month"
              note={`${Math.floor(passed * 100)} % of it has passed; the rest at the same rate`}
            >
              ≈ <Num of={forecastOf(total, passed)} />
            </Figure>
          )}
        </dl>
        {error && <Problem error={error} stale={told !== undefined} />}
        {!told ? (
          !error && <Loading lines={4} />
        ) : lines.length === 0 ? (
          <Empty title="Nothing was used in this month." />
        ) : (
          <Table name="Invoice lines" rows={lines} id={(line) => line.team} columns={columnsOf(total, passed)} />
        )}
      </Section>
    </>
  );
}

function columnsOf(total: string, passed: number | undefined): Column<Line>[] {
  return [
    {
      name: "Team",
      cell: (line) => (line.team === "" ? <span class="dim">without a team</span> : <Name of={line.team} />),
    },
    { name: "Requests", number: true, cell: (line) => <Num of={line.requests as number} /> },
    { name: "Tokens in", number: true, wide: true, cell: (line) => <Num of={line.tokens_in as number} /> },
    { name: "Tokens out", number: true, wide: true, cell: (line) => <Num of={line.tokens_out as number} /> },
    { name: "Without a price", number: true, wide: true, cell: (line) => <Num of={line.unpriced as number} /> },
    { name: "Cost", number: true, cell: (line) => <Num of={line.cost} /> },
    { name: "Share", number: true, wide: true, cell: (line) => percent(share(line.cost, total)) },
    ...(passed === undefined
      ? []
      : [
          { name: "Forecast", number: true, cell: (line: Line) => <>≈ {<Num of={forecastOf(line.cost, passed)} />}</> },
        ]),
  ];
}

function percent(part: number): string {
  return Number.isNaN(part) ? "–" : `${(part * 100).toFixed(1)} %`;
}

/** How much of a month has passed, from just above 0 to 1. */
function passedOf(month: string, at: number): number {
  const begin = Date.parse(`${month}-01T00:00:00Z`);
  const end = new Date(begin);
  end.setUTCMonth(end.getUTCMonth() + 1);
  return Math.min(1, Math.max(1, at - begin) / (end.getTime() - begin));
}

function forecastOf(cost: string, passed: number): string | undefined {
  return scaled(cost, 1_000_000, Math.max(1, passed * 1_000_000), forecastPlaces);
}

function asCsv(lines: readonly Line[]): string {
  const head = ["team", "requests", "tokens_in", "tokens_out", "unpriced", "cost"];
  const digits = (value: unknown) => ({ digits: String(value) });
  return csv(
    head,
    lines.map((line) => [
      { text: line.team },
      ...[line.requests, line.tokens_in, line.tokens_out, line.unpriced, line.cost].map(digits),
    ]),
  );
}
