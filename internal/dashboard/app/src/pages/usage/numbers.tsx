import { useMemo, useState } from "preact/hooks";
import { Section } from "../../ui/page";
import { Empty } from "../../ui/states";
import { Table, type Column } from "../../ui/table";
import { Num } from "../../ui/values";
import { windowNames } from "./controls";
import { csv, save, type Cell } from "./csv";
import { change } from "./decimals";
import { member, valueOf, valueText, windowText, type GroupValue, type MeterAnswer, type MeterRow } from "./meter";
import type { Before, Plan } from "./meterusage";
import { grown } from "./totals";
import { windowsIn } from "./zoned";

const shownAtFirst = 60;

/** The rows of the answer, newest first, with every digit; and as a file for spreadsheets. */
export function Numbers(props: {
  view: string;
  plan: Plan;
  answer: MeterAnswer;
  aggregations: readonly string[];
  before: Before | undefined;
}) {
  const { plan, answer, aggregations, view } = props;
  const { window, aggregation, range } = plan.choice;
  const [most, setMost] = useState(shownAtFirst);
  const rows = useMemo(
    () => [...answer.rows].sort((a, b) => Date.parse(b.from ?? "") - Date.parse(a.from ?? "")),
    [answer],
  );
  const past = useMemo(() => pastOf(props.before, plan), [props.before, plan]);
  const before = plan.groups.length === 0 ? past : undefined;
  const was = (row: MeterRow) => {
    const then = before?.(row);
    return then && valueOf(then, aggregation);
  };
  const columns: Column<MeterRow>[] = [
    {
      name: windowNames[window] ?? window,
      cell: (row) => (
        <span class="time" title={`${row.from ?? ""} to ${row.to ?? ""}`}>
          {windowText(row.from, window)}
        </span>
      ),
    },
    ...plan.groups.map((name) => ({
      name,
      cell: (row: MeterRow) => <bdi class="name">{valueText(member(row, name))}</bdi>,
    })),
    ...aggregations.map((name) => ({
      name,
      number: true,
      cell: (row: MeterRow) => <Num of={valueOf(row, name)} />,
    })),
    ...(before
      ? [
          { name: `${aggregation} before`, number: true, cell: (row: MeterRow) => <Num of={was(row)} /> },
          { name: "Change", number: true, cell: (row: MeterRow) => percent(valueOf(row, aggregation), was(row)) },
        ]
      : []),
  ];
  const download = () => {
    const head = ["from", "to", ...plan.groups, ...aggregations, ...(before ? [`${aggregation} before`] : [])];
    const lines = answer.rows.map((row): Cell[] => [
      { text: row.from ?? "" },
      { text: row.to ?? "" },
      ...plan.groups.map((name) => groupCell(member(row, name))),
      ...aggregations.map((name) => digits(valueOf(row, name))),
      ...(before ? [digits(was(row))] : []),
    ]);
    save(`${view}-${range.name}-by-${window}.csv`, csv(head, lines));
  };
  return (
    <Section
      title="Numbers"
      note={`${rows.length} ${rows.length === 1 ? "row" : "rows"}, newest first. Windows without usage have none.`}
      actions={
        <button type="button" class="small" disabled={rows.length === 0} onClick={download}>
          Save as CSV
        </button>
      }
    >
      {rows.length === 0 ? (
        <Empty title="No rows." />
      ) : (
        <Table
          name="Numbers"
          rows={rows.slice(0, most)}
          id={(row) => `${row.from ?? ""} ${JSON.stringify(row.group)}`}
          columns={columns}
        />
      )}
      {rows.length > most && (
        <button type="button" class="small more" onClick={() => setMost(most * 5)}>
          Show more
        </button>
      )}
      {answer.next !== undefined && (
        <p class="note">These are the first rows of more: choose longer windows or a shorter range for all.</p>
      )}
    </Section>
  );
}

function digits(value: string | undefined): Cell {
  return value === undefined ? undefined : { digits: value };
}

function groupCell(value: GroupValue | undefined): Cell {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" ? { text: value } : { digits: valueText(value) };
}

function percent(now: string | undefined, before: string | undefined) {
  const more = change(now, before);
  return <span class="num">{more === undefined ? "–" : grown(more)}</span>;
}

/** The row of the period before that stands at the same place as another of this period. */
function pastOf(before: Before | undefined, plan: Plan): ((row: MeterRow) => MeterRow | undefined) | undefined {
  const { range, window, zone } = plan.choice;
  if (!before || range.from === undefined || range.to === undefined) return undefined;
  const places = new Map(windowsIn(range.from, range.to, window, zone, 5_000).map((at, i) => [at, i]));
  return (row) => before[places.get(Date.parse(row.from ?? "")) ?? -1];
}
