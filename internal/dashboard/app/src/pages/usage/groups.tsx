import { client } from "../../core/session";
import { approximate } from "../../core/format";
import { Section } from "../../ui/page";
import { Pages } from "../../ui/more";
import { Empty } from "../../ui/states";
import { Table } from "../../ui/table";
import { Num } from "../../ui/values";
import type { Choice } from "./choice";
import { groupText, isAdditive, valueOf, type MeterAnswer, type MeterRow } from "./meter";
import { bounds } from "./range";

/** What each group comes to over the whole range, the largest first, page by page where there are many. */
export function GroupTotals(props: {
  log: string;
  view: string;
  choice: Choice;
  aggregations: readonly string[];
  sequence: number | undefined;
}) {
  const { log, view, choice, aggregations } = props;
  const { range, zone, groups, aggregation } = choice;
  return (
    <Section title={`By ${groups.join(" and ")}`} note="Over the whole range.">
      <Pages
        deps={[log, view, zone, range.from, range.to, groups.join(",")]}
        every={5_000}
        load={async (cursor, signal) => {
          const question = { timezone: zone, ...bounds(range), group_by: groups.join(","), limit: 200, after: cursor };
          const { answer } = await client.value.queryView<MeterAnswer>(log, view, question, { signal });
          return { items: answer.rows, next: answer.next };
        }}
      >
        {(rows) => <Groups rows={rows} groups={groups} aggregation={aggregation} aggregations={aggregations} />}
      </Pages>
    </Section>
  );
}

function Groups(props: {
  rows: readonly MeterRow[];
  groups: readonly string[];
  aggregation: string;
  aggregations: readonly string[];
}) {
  const { groups, aggregation } = props;
  const sizeOf = (row: MeterRow) => Math.max(0, approximate(valueOf(row, aggregation) ?? "0"));
  const rows = [...props.rows].sort((a, b) => sizeOf(b) - sizeOf(a));
  const all = rows.reduce((total, row) => total + sizeOf(row), 0);
  const most = rows[0] ? sizeOf(rows[0]) : 0;
  if (rows.length === 0) return <Empty title="No group has usage in this range." />;
  return (
    <Table
      name="Groups"
      rows={rows}
      id={(row) => JSON.stringify(row.group)}
      columns={[
        { name: groups.join(" · "), cell: (row) => <bdi class="name">{groupText(row, groups)}</bdi> },
        ...props.aggregations.map((name) => ({
          name,
          number: true,
          wide: name !== aggregation,
          cell: (row: MeterRow) => <Num of={valueOf(row, name)} />,
        })),
        ...(isAdditive(aggregation)
          ? [
              {
                name: `Share of ${aggregation}`,
                cell: (row: MeterRow) => <Share of={sizeOf(row)} most={most} all={all} />,
              },
            ]
          : []),
      ]}
    />
  );
}

/** How much of all a group has, and beside the largest. */
function Share(props: { of: number; most: number; all: number }) {
  return (
    <span class="share">
      <span class="share-bar" aria-hidden="true">
        <span style={{ width: `${props.most > 0 ? (100 * props.of) / props.most : 0}%` }} />
      </span>
      <span class="num">{props.all > 0 ? `${((100 * props.of) / props.all).toFixed(1)} %` : "–"}</span>
    </span>
  );
}
