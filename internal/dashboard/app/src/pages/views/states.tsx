import type { Schemas } from "@tallystick/client";
import { link, oneOf, refine, route } from "../../core/route";
import { client } from "../../core/session";
import { SelectField, TextField } from "../../ui/form";
import { Pages } from "../../ui/more";
import { Empty } from "../../ui/states";
import { Table } from "../../ui/table";
import { Name, Num, Status, Time } from "../../ui/values";
import { BuildBar } from "../view/progress";
import { What } from "../view/what";

const attention = "halted,building";
const choices = [
  ["", "Halted or building"],
  ["halted", "Halted"],
  ["building", "Building"],
  ["live", "Live"],
  ["all", "All but retired"],
  ["retired", "Retired"],
] as const;

/** How the views of all logs stand; at first those that need somebody. */
export function States() {
  const { view = "" } = route.value.query;
  const status =
    oneOf(
      route.value.query["status"],
      choices.map(([value]) => value),
    ) ?? "";
  const statuses = status === "" ? attention : status === "all" ? "building,live,halted" : status;
  const isName = /^[A-Za-z0-9._:@+=~-]{0,200}$/.test(view);
  return (
    <>
      <div class="filters">
        <SelectField name="Status" value={status} options={choices} onInput={(value) => refine({ status: value })} />
        <TextField
          name="View"
          type="search"
          value={view}
          placeholder="any"
          onInput={(text) => refine({ view: text })}
          hint={isName ? undefined : "No view has such a name."}
        />
      </div>
      {isName && (
        <Pages
          deps={[statuses, view]}
          every={2_000}
          load={async (cursor, signal) => {
            const page = await client.value.listViewStates({
              status: statuses,
              view: view || undefined,
              cursor,
              limit: 100,
              signal,
            });
            return { items: page.views, next: page.next_cursor };
          }}
        >
          {(views) => <StateTable views={views} isCalm={status === "" && view === ""} />}
        </Pages>
      )}
    </>
  );
}

function StateTable(props: { views: readonly Schemas["ViewState"][]; isCalm: boolean }) {
  if (props.views.length === 0) {
    return props.isCalm ? (
      <Empty title="No view is halted or building.">
        <p>
          Those that are live are <a href={link(["views"], { status: "live" })}>there too</a>. A view is deployed from
          its log's page.
        </p>
      </Empty>
    ) : (
      <Empty title="No view is so." />
    );
  }
  return (
    <Table
      name="Views"
      rows={props.views}
      id={(one) => one.view_id}
      columns={[
        { name: "View", cell: (one) => <Name of={one.view} href={link(["logs", one.log, "views", one.view])} /> },
        { name: "Log", cell: (one) => <Name of={one.log} href={link(["logs", one.log])} /> },
        { name: "Status", cell: (one) => <Status of={one.status} /> },
        { name: "How it is", cell: (one) => <How of={one} /> },
        { name: "Version", wide: true, number: true, cell: (one) => <Num of={one.version} /> },
        { name: "What", wide: true, cell: (one) => <What of={one} /> },
        { name: "Since", wide: true, cell: (one) => <Time at={one.changed_at} relative /> },
      ]}
    />
  );
}

function How(props: { of: Schemas["ViewState"] }) {
  const { of } = props;
  if (of.progress) return <BuildBar of={of.progress} name={`${of.view} on ${of.log}`} />;
  if (of.status === "halted") {
    return (
      <span class="halt-line">
        {of.halted_sequence !== undefined && (
          <>
            at event <Num of={of.halted_sequence} />:{" "}
          </>
        )}
        <bdi>{(of.error ?? "").slice(0, 300)}</bdi>
      </span>
    );
  }
  return (
    <span>
      <Num of={of.applied} /> of <Num of={of.head} /> events
    </span>
  );
}
