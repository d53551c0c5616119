import { link } from "../../core/route";
import { may } from "../../core/session";
import { client } from "../../core/session";
import { Section } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { Table } from "../../ui/table";
import { Name, Num, Time } from "../../ui/values";
import { visible } from "../../ui/json";
import { useFollowing } from "./live";

interface Left {
  count: Record<string, number>;
  last: { sequence: number; time: string; reason: string; field?: string; found?: string }[];
}

/** What each reason means, and what of the event counts all the same. */
const reasons: Readonly<Record<string, string>> = {
  value_missing: "The event has no value. It counts in count and unique alone.",
  value_null: "The value is null. The event counts in count and unique alone.",
  value_not_a_number: "The value is no number. The event counts in count and unique alone.",
  value_has_too_many_digits: "The value has more digits than can be added. The event counts in count and unique alone.",
  unique_missing: "There is nothing to tell apart by. The event counts in all but unique.",
  unique_not_text: "What is told apart is a list or an object. The event counts in all but unique.",
  unique_too_long: "What is told apart is too long. The event counts in all but unique.",
  unique_exponent_too_long: "What is told apart has too large an exponent. The event counts in all but unique.",
  group_not_text: "The group is a list or an object. The event counts nowhere.",
  group_too_long: "The values of the groups are too long. The event counts nowhere.",
  group_exponent_too_long: "The group has too large an exponent. The event counts nowhere.",
  time_out_of_range: "The event's time is before the year 1 or after 9998. It counts nowhere.",
};

/** Events that a meter could not count, or not in full: how many for which reason, and the last of them. */
export function Uncounted(props: {
  log: string;
  view: string;
  count: number | undefined;
  sequence: number | undefined;
}) {
  const { log, view } = props;
  const left = useFollowing(
    async (signal) => (await client.value.queryView<Partial<Left>>(log, view, { uncounted: "" }, { signal })).answer,
    [log, view],
    props.sequence,
  );
  const rows = Object.entries(left.data?.count ?? {}).sort(([, a], [, b]) => b - a);
  if (left.data && rows.length === 0) return null;
  return (
    <Section title="Not counted" note="Of the whole log, whatever the range. The events themselves are in it.">
      <Loaded of={left} lines={2}>
        {({ last = [] }) => (
          <>
            <Table
              name="Reasons"
              rows={rows}
              id={([reason]) => reason}
              columns={[
                { name: "Reason", cell: ([reason]) => <code>{reason}</code> },
                { name: "What it means", wide: true, cell: ([reason]) => reasons[reason] ?? "" },
                { name: "Events", number: true, cell: ([, count]) => <Num of={count} /> },
              ]}
            />
            <h3>The last of them</h3>
            <Table
              name="The last events that were not counted"
              rows={[...last].reverse()}
              id={(one) => one.sequence}
              columns={[
                { name: "Event", number: true, cell: (one) => <Sequence log={log} of={one.sequence} /> },
                { name: "Time", wide: true, cell: (one) => <Time at={one.time} /> },
                { name: "Reason", cell: (one) => <code>{one.reason}</code> },
                { name: "Field", cell: (one) => <Name of={one.field ?? "–"} mono /> },
                { name: "Found", cell: (one) => <Found of={one.found} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Sequence(props: { log: string; of: number }) {
  if (!may("read")) return <Num of={props.of} />;
  return (
    <a href={link(["logs", props.log, "events", String(props.of)])}>
      <Num of={props.of} />
    </a>
  );
}

function Found(props: { of: string | undefined }) {
  if (props.of === undefined) return <span class="dim">nothing</span>;
  const text = props.of.length > 200 ? `${props.of.slice(0, 200)}…` : props.of;
  return <bdi class="mono name">{visible(text)}</bdi>;
}
