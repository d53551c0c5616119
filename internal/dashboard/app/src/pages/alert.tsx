import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { useResource } from "../core/resource";
import { go, link, oneOf, refine, route } from "../core/route";
import { client, may } from "../core/session";
import { Confirm } from "../ui/dialog";
import { SelectField } from "../ui/form";
import { Pages } from "../ui/more";
import { Facts, Page, Section } from "../ui/page";
import { Empty, Loaded, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Num, Status, Time } from "../ui/values";
import { AlertForm } from "./alertform";
import { AlertTest } from "./alerttest";
import { told, type Definition } from "./alerts";

type Status = Schemas["AlertStatus"];

export function NewAlertPage() {
  return (
    <Page title="New alert" crumbs={[{ name: "Alerts", href: link(["alerts"]) }]}>
      <Needs scopes={["admin"]}>
        <Section title="What it watches">
          <AlertForm saved={(name) => go(["alerts", name])} />
        </Section>
      </Needs>
    </Page>
  );
}

/** One alert: what it watches, where it fires, and when it did. */
export function AlertPage(props: { alert: string }) {
  return (
    <Page title={props.alert} crumbs={[{ name: "Alerts", href: link(["alerts"]) }]}>
      <Needs scopes={["query", "admin"]}>
        <Found name={props.alert} />
      </Needs>
    </Page>
  );
}

function Found(props: { name: string }) {
  const [editing, setEditing] = useState(false);
  const alert = useResource((signal) => client.value.getAlert(props.name, { limit: 1, signal }), [props.name], {
    every: 3_000,
  });
  return (
    <>
      <Loaded of={alert}>
        {(one) =>
          editing ? (
            <Section title="What it watches">
              <AlertForm
                of={one}
                saved={() => {
                  setEditing(false);
                  alert.reload();
                }}
              />
            </Section>
          ) : (
            <Standing of={one} edit={() => setEditing(true)} />
          )
        }
      </Loaded>
      <Logs alert={props.name} />
      <div class="halves">
        <AlertTest alert={props.name} />
        <Crossings alert={props.name} />
      </div>
    </>
  );
}

function Standing(props: { of: Status; edit: () => void }) {
  const { of: alert } = props;
  const definition = alert.definition as Definition;
  return (
    <Section title="What it watches">
      <Facts
        rows={[
          ["Firing on", <Logged count={alert.firing_logs} />],
          ["Without a value on", <Logged count={alert.failing_logs} />],
          ["Logs", <Name of={told(definition.logs)} mono />],
          ["View", <Name of={told(definition.view)} />],
          ["Value", <Name of={told(definition.value)} mono />],
          ["Percentages of", <Name of={told(definition.of)} mono />],
          ["Window", <Name of={told(definition.window)} />],
          ["Thresholds", <Name of={told(definition.thresholds)} />],
          ["Evaluated", alert.spreading ? <Status of="pending">not on every log yet</Status> : "on every log"],
          ["Put", <Time at={alert.updated_at} />],
        ]}
      />
      {may("admin") && (
        <p class="row">
          <button type="button" onClick={props.edit}>
            Change
          </button>
          <Confirm
            name="Delete"
            question={`Delete ${alert.name}?`}
            run={async () => {
              await client.value.deleteAlert(alert.name);
              go(["alerts"]);
            }}
          >
            <p>It fires no more, and its crossings are forgotten.</p>
          </Confirm>
        </p>
      )}
    </Section>
  );
}

function Logged(props: { count: number }) {
  return (
    <>
      <Num of={props.count} /> {props.count === 1 ? "log" : "logs"}
      {props.count >= 10_000 && " or more"}
    </>
  );
}

function Logs(props: { alert: string }) {
  const { only = "" } = route.value.query;
  return (
    <Section title="How it stands on each log">
      <div class="filters">
        <SelectField
          name="Which"
          value={only}
          options={[
            ["", "All logs"],
            ["firing", "Firing"],
            ["failing", "Without a value"],
          ]}
          onInput={(value) => refine({ only: value })}
        />
      </div>
      <Pages
        deps={[props.alert, only]}
        every={3_000}
        load={async (cursor, signal) => {
          const page = await client.value.getAlert(props.alert, {
            cursor,
            limit: 50,
            only: oneOf(only, ["firing", "failing"]),
            signal,
          });
          return { items: page.logs, next: page.next_cursor };
        }}
      >
        {(logs) =>
          logs.length === 0 ? (
            <Empty title="No log." />
          ) : (
            <Table
              name="Logs of the alert"
              rows={logs}
              id={(one) => one.log}
              columns={[
                { name: "Log", cell: (one) => <Name of={one.log} href={link(["logs", one.log])} /> },
                { name: "State", cell: (one) => <Status of={standing(one)} /> },
                { name: "Value", number: true, cell: (one) => <Num of={one.value} /> },
                { name: "Of", number: true, wide: true, cell: (one) => <Num of={one.of} /> },
                { name: "Fired for", cell: (one) => <Name of={one.thresholds.map((t) => t.threshold).join(", ")} /> },
                { name: "Window", wide: true, cell: (one) => <Name of={one.window ?? "all of time"} /> },
                { name: "At event", number: true, wide: true, cell: (one) => <Num of={one.sequence} /> },
                { name: "Evaluated", wide: true, cell: (one) => <Time at={one.evaluated_at} relative /> },
                { name: "Why not", wide: true, cell: (one) => <Name of={one.error ?? ""} /> },
              ]}
            />
          )
        }
      </Pages>
    </Section>
  );
}

function standing(log: Schemas["AlertLog"]): string {
  if (log.thresholds.some((threshold) => threshold.firing)) return "firing";
  return log.error ? "no value" : "ok";
}

function Crossings(props: { alert: string }) {
  return (
    <Section title="Crossings" note="newest first">
      <Pages
        deps={[props.alert]}
        every={3_000}
        load={async (cursor, signal) => {
          const page = await client.value.listCrossings(props.alert, { cursor, signal });
          return { items: page.crossings, next: page.next_cursor };
        }}
      >
        {(crossings) =>
          crossings.length === 0 ? (
            <Empty title="It has not fired yet." />
          ) : (
            <Table
              name="Crossings"
              rows={crossings}
              id={(one) => `${one.log} ${one.kind} ${one.threshold} ${one.round} ${one.window ?? ""}`}
              columns={[
                { name: "When", cell: (one) => <Time at={one.at} /> },
                {
                  name: "What",
                  cell: (one) => <Status of={one.kind === "fired" ? "firing" : "resolved"}>{one.kind}</Status>,
                },
                { name: "Log", cell: (one) => <Name of={one.log} href={link(["logs", one.log])} /> },
                { name: "Threshold", cell: (one) => <Name of={one.threshold} /> },
                { name: "Value", number: true, cell: (one) => <Num of={one.value} /> },
              ]}
            />
          )
        }
      </Pages>
    </Section>
  );
}
