import type { Schemas } from "@tallystick/client";
import { client, may } from "../../core/session";
import { Confirm } from "../../ui/dialog";
import { visible } from "../../ui/json";
import { Section } from "../../ui/page";
import { Table } from "../../ui/table";
import { Num, Status, Time } from "../../ui/values";
import { pretty } from "../deploy/config";
import { BuildBar } from "./progress";
import { What } from "./what";

type View = Schemas["View"];

const longest = 20_000; // characters of a configuration in the table

/** All versions of a view, newest first. */
export function Versions(props: {
  log: string;
  view: string;
  /** The version that answers, if any does. */
  live: View | undefined;
  versions: readonly View[];
  reload: () => void;
}) {
  const { versions, live } = props;
  return (
    <Section title="Versions">
      <Table
        name="Versions"
        rows={versions}
        id={(one) => one.version}
        columns={[
          { name: "Version", number: true, cell: (one) => <Num of={one.version} /> },
          {
            name: "Status",
            cell: (one) =>
              one.progress ? (
                <BuildBar of={one.progress} name={`version ${one.version}`} />
              ) : (
                <Status of={one.status} />
              ),
          },
          { name: "What", cell: (one) => <What of={one} /> },
          { name: "Configuration", cell: (one) => <ConfigCell of={one} /> },
          { name: "Deployed by", wide: true, cell: (one) => <bdi>{one.actor ?? "–"}</bdi> },
          { name: "Deployed", wide: true, cell: (one) => <Time at={one.created_at} /> },
          ...(may("deploy")
            ? [
                {
                  name: "",
                  cell: (one: View) => one.status === "retired" && <Rollback {...props} to={one} live={live} />,
                },
              ]
            : []),
        ]}
      />
    </Section>
  );
}

function ConfigCell(props: { of: View }) {
  const text = visible(pretty(props.of.config));
  if (text.length <= 36) return <code>{text}</code>;
  return (
    <details class="config-cell">
      <summary>
        <code>{text.replaceAll(/\s+/g, " ").slice(0, 36)}…</code>
      </summary>
      <pre>
        {text.slice(0, longest)}
        {text.length > longest && `… (${text.length} characters)`}
      </pre>
    </details>
  );
}

function Rollback(props: { log: string; view: string; to: View; live: View | undefined; reload: () => void }) {
  const { log, view, to, live } = props;
  const isLive = live?.status === "live";
  return (
    <Confirm
      name={`Go back to ${to.version}`}
      question={`Go back to version ${to.version}`}
      run={async () => {
        await client.value.rollbackView(log, view, { version: to.version });
        props.reload();
      }}
    >
      <p>
        {to.state_kept
          ? `Version ${to.version} counts what came since it was retired, and is live again then.`
          : `Version ${to.version} is built from the log's first event, since its state was not kept, and is live again then.`}
        {isLive && ` Version ${live.version} answers until it is.`}
      </p>
    </Confirm>
  );
}
