import type { Schemas } from "@tallystick/client";
import { link, oneOf, refine, route } from "../core/route";
import { client } from "../core/session";
import { SelectField, TextField } from "../ui/form";
import { Pages } from "../ui/more";
import { Page } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Num, Time } from "../ui/values";

/** All logs that there are for the viewer's key. */
export function LogsPage() {
  const { search = "", label = "" } = route.value.query;
  const prefix = route.value.query["prefix"] ?? "";
  const sort = oneOf(route.value.query["sort"], ["activity"]);
  return (
    <Page title="Logs">
      <Needs scopes={["read", "deploy"]}>
        <div class="filters">
          <TextField
            name="Search"
            type="search"
            value={search}
            placeholder="acme"
            onInput={(value) => refine({ search: value })}
          />
          <TextField
            name="Begins with"
            type="search"
            value={prefix}
            placeholder="customer-"
            onInput={(value) => refine({ prefix: value })}
          />
          <TextField
            name="Label"
            type="search"
            value={label}
            placeholder="plan=gold"
            onInput={(value) => refine({ label: value })}
          />
          <SelectField
            name="Order"
            value={sort ?? ""}
            options={[
              ["", "By name"],
              ["activity", "Latest event first"],
            ]}
            onInput={(value) => refine({ sort: value })}
          />
        </div>
        <Pages
          deps={[search, prefix, label, sort]}
          every={5_000}
          load={async (cursor, signal) => {
            const page = await client.value.listLogs({
              search: search === "" ? undefined : search,
              prefix: prefix === "" ? undefined : prefix,
              label: label.includes("=") ? label : undefined, // it is being typed
              sort,
              cursor,
              limit: 50,
              signal,
            });
            return { items: page.logs, next: page.next_cursor };
          }}
        >
          {(logs) => <LogTable logs={logs} searched={search !== "" || prefix !== "" || label !== ""} />}
        </Pages>
      </Needs>
    </Page>
  );
}

function LogTable(props: { logs: readonly Schemas["Log"][]; searched: boolean }) {
  if (props.logs.length === 0) {
    return props.searched ? (
      <Empty title="No log matches." />
    ) : (
      <Empty title="There is no log yet.">
        <p>The first event of a customer makes one: POST /logs/customer-acme/append.</p>
      </Empty>
    );
  }
  return (
    <Table
      name="Logs"
      rows={props.logs}
      id={(log) => log.log_id}
      columns={[
        { name: "Log", cell: (log) => <Name of={log.name} href={link(["logs", log.name])} /> },
        { name: "Events", number: true, cell: (log) => <Num of={log.sequence} /> },
        {
          name: "Latest event",
          cell: (log) => (log.sequence > 0 ? <Time at={log.recorded_at} relative /> : "none yet"),
        },
        { name: "Labels", wide: true, cell: (log) => <Labels of={log.labels} /> },
      ]}
    />
  );
}

/** What a log was given at its creation. */
export function Labels(props: { of: Record<string, string> }) {
  return (
    <span class="row">
      {Object.entries(props.of).map(([name, value]) => (
        <span key={name} class="label">
          <bdi>{name}</bdi> = <bdi>{value}</bdi>
        </span>
      ))}
    </span>
  );
}
