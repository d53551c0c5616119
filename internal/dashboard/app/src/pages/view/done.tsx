import type { Schemas } from "@tallystick/client";
import { link } from "../../core/route";
import { may } from "../../core/session";
import { visible } from "../../ui/json";
import { Section } from "../../ui/page";
import { Empty } from "../../ui/states";
import { Table } from "../../ui/table";
import { Num, Time } from "../../ui/values";

type Action = Schemas["ViewAction"];

const words: Readonly<Record<string, string>> = {
  deploy: "deployed",
  live: "went live",
  rollback: "went back to",
  retire: "retired",
  halt: "halted",
  resume: "resumed",
  skip: "resumed past the event",
};

/** What was done to the view, newest first. */
export function Done(props: { log: string; actions: readonly Action[] }) {
  const { log, actions } = props;
  const rows = actions.map((action, i) => ({ ...action, id: actions.length - i }));
  return (
    <Section title="What was done" note={actions.length >= 500 ? "the last 500" : undefined}>
      {rows.length === 0 ? (
        <Empty title="Nothing yet." />
      ) : (
        <Table
          name="What was done"
          rows={rows}
          id={(one) => one.id}
          columns={[
            { name: "When", cell: (one) => <Time at={one.at} /> },
            { name: "What", cell: (one) => words[one.action] ?? one.action },
            { name: "Version", number: true, cell: (one) => <Num of={one.version} /> },
            {
              name: "Event",
              number: true,
              cell: (one) =>
                one.sequence !== undefined && one.sequence > 0 && may("read") ? (
                  <a href={link(["logs", log, "events", String(one.sequence)])}>
                    <Num of={one.sequence} />
                  </a>
                ) : (
                  <Num of={one.sequence} />
                ),
            },
            { name: "By", wide: true, cell: (one) => <bdi>{one.actor ?? "–"}</bdi> },
            { name: "Why", wide: true, cell: (one) => <bdi class="done-why">{visible(one.detail ?? "")}</bdi> },
          ]}
        />
      )}
    </Section>
  );
}
