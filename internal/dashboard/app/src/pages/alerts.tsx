import { stringifyExact, type Schemas } from "@tallystick/client";
import { link } from "../core/route";
import { client, may } from "../core/session";
import { Pages } from "../ui/more";
import { Page } from "../ui/page";
import { Empty, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Status, Time } from "../ui/values";

/** An alert's definition, as far as pages show it; it came from a person, so nothing of it is sure. */
export interface Definition {
  logs?: unknown;
  view?: unknown;
  value?: unknown;
  of?: unknown;
  window?: unknown;
  thresholds?: unknown;
}

/** A member of a definition, as text. */
export function told(member: unknown): string {
  if (member === undefined) return "–";
  if (typeof member === "string") return member;
  if (Array.isArray(member)) return member.map(told).join(", ");
  return stringifyExact(member);
}

export function AlertsPage() {
  return (
    <Page
      title="Alerts"
      actions={
        may("admin") && (
          <a class="button primary" href={link(["new-alert"])}>
            New alert
          </a>
        )
      }
    >
      <Needs scopes={["query", "admin"]}>
        <Pages
          deps={[]}
          every={3_000}
          load={async (cursor, signal) => {
            const page = await client.value.listAlerts({ cursor, signal });
            return { items: page.alerts, next: page.next_cursor };
          }}
        >
          {(alerts) =>
            alerts.length === 0 ? (
              <Empty title="There is no alert.">
                <p>An alert watches a value of a view’s answer, on one log or on all that match a pattern.</p>
              </Empty>
            ) : (
              <AlertTable alerts={alerts} />
            )
          }
        </Pages>
      </Needs>
    </Page>
  );
}

/** How an alert stands, in a word. */
function standing(alert: Schemas["ListedAlert"]): string {
  if (alert.firing) return "firing";
  if (alert.failing) return "no value";
  return alert.spreading ? "pending" : "ok";
}

function AlertTable(props: { alerts: readonly Schemas["ListedAlert"][] }) {
  return (
    <Table
      name="Alerts"
      rows={props.alerts}
      id={(alert) => alert.name}
      columns={[
        { name: "Alert", cell: (alert) => <Name of={alert.name} href={link(["alerts", alert.name])} /> },
        { name: "State", cell: (alert) => <Status of={standing(alert)} /> },
        { name: "Logs", cell: (alert) => <Name of={told((alert.definition as Definition).logs)} mono /> },
        { name: "View", cell: (alert) => <Name of={told((alert.definition as Definition).view)} /> },
        { name: "Value", wide: true, cell: (alert) => <Name of={told((alert.definition as Definition).value)} mono /> },
        { name: "Thresholds", cell: (alert) => <Name of={told((alert.definition as Definition).thresholds)} /> },
        { name: "Put", wide: true, cell: (alert) => <Time at={alert.updated_at} /> },
      ]}
    />
  );
}
