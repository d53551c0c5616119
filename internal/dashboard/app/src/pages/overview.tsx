import type { Answer, Schemas } from "@tallystick/client";
import { useMemo } from "preact/hooks";
import { duration, rounded } from "../core/format";
import { useResource } from "../core/resource";
import { link, oneOf, refine, route } from "../core/route";
import { client, may, type Scope } from "../core/session";
import { Chart } from "../ui/chart";
import { Figure, Page, Section } from "../ui/page";
import { Empty, Loaded, Needs } from "../ui/states";
import { Table } from "../ui/table";
import { Name, Num, Progress, Status, Time } from "../ui/values";
import "../styles/overview.css";

type Activity = Answer<"get-activity">;

const shown: Scope[] = ["read", "query", "deploy", "admin"]; // whose keys learn what happens
const spans = ["5", "15", "60"] as const;

/** What happens now, in the whole tenant: is it arriving, is it counted, does anything need a person. */
export function OverviewPage() {
  const minutes = oneOf(route.value.query["minutes"], spans) ?? "15";
  const activity = useResource(
    may(...shown) ? (signal) => client.value.getActivity({ minutes: Number(minutes), signal }) : undefined,
    [minutes],
    { every: 2_000 },
  );
  return (
    <Page
      title="Overview"
      actions={
        <div class="row" role="group" aria-label="How far back">
          {spans.map((span) => (
            <button key={span} type="button" aria-pressed={span === minutes} onClick={() => refine({ minutes: span })}>
              {span} min
            </button>
          ))}
        </div>
      }
    >
      <Needs scopes={shown}>
        <Loaded of={activity} lines={14}>
          {(now) => (
            <>
              <Figures of={now} minutes={minutes} />
              <Charts of={now} />
            </>
          )}
        </Loaded>
        <div class="halves overview-parts">
          {may("read", "query", "deploy") && <Trouble />}
          {may("read", "deploy") && <ActiveLogs />}
          {may("query", "admin") && <FiringAlerts />}
          {activity.data && <Refusals of={activity.data} minutes={minutes} />}
        </div>
      </Needs>
    </Page>
  );
}

function Figures(props: { of: Activity; minutes: string }) {
  const { of: now, minutes } = props;
  const refused = now.refusals.reduce((sum, one) => sum + one.count, 0);
  return (
    <dl class="figures">
      <Figure
        name="Events a second"
        note={
          <>
            <Num of={now.events} /> in {minutes} min
          </>
        }
      >
        <Num of={Math.round(now.events_per_second * 10) / 10} short />
      </Figure>
      <Figure
        name="An append takes"
        note={now.append_p99_ms === undefined ? "no append lately" : `99 of 100 within ${duration(now.append_p99_ms)}`}
      >
        {now.append_p50_ms === undefined ? "–" : duration(now.append_p50_ms)}
      </Figure>
      {now.logs !== undefined && (
        <Figure name="Logs">
          <a href={link(["logs"])}>
            <Num of={now.logs} short />
          </a>
        </Figure>
      )}
      {now.halted_views !== undefined && (
        <Figure
          name="Halted views"
          tone={now.halted_views > 0 ? "bad" : "good"}
          note={now.building_views ? `${rounded(now.building_views)} building` : "none building"}
        >
          <Num of={now.halted_views} short />
        </Figure>
      )}
      {now.firing_alerts !== undefined && (
        <Figure
          name="Firing alerts"
          tone={now.firing_alerts > 0 ? "bad" : "good"}
          note={now.dead_deliveries ? `${rounded(now.dead_deliveries)} messages given up` : "all messages on their way"}
        >
          <Num of={now.firing_alerts} short />
        </Figure>
      )}
      <Figure name="Refused requests" tone={refused > 0 ? "warn" : "good"} note={`in ${minutes} min`}>
        <Num of={refused} short />
      </Figure>
    </dl>
  );
}

function Charts(props: { of: Activity }) {
  const { at, intervals, interval_seconds, events_per_second: present } = props.of;
  const charted = useMemo(() => {
    // The last intervals may still grow on other servers: a chart that shows them dips at its end, always.
    const closed = intervals.filter((one) => !one.open);
    const times = closed.map((one) => new Date(one.at).getTime() / 1000);
    return {
      times,
      // What they leave out is in the present rate, with which this chart ends.
      rateTimes: [...times, new Date(at).getTime() / 1000],
      rates: [{ name: "events a second", values: [...closed.map((one) => one.events / interval_seconds), present] }],
      latencies: [
        { name: "half of all within", values: closed.map((one) => one.append_p50_ms ?? null) },
        { name: "99 of 100 within", values: closed.map((one) => one.append_p99_ms ?? null) },
      ],
    };
  }, [at, intervals, interval_seconds, present]);
  return (
    <div class="overview-charts">
      <Section title="Events a second">
        <Chart name="Events a second, lately" times={charted.rateTimes} series={charted.rates} height={230} />
      </Section>
      <Section title="How long appends take">
        <Chart
          name="How long appends take, lately"
          times={charted.times}
          series={charted.latencies}
          height={200}
          format={duration}
        />
      </Section>
    </div>
  );
}

/** Views that do not answer, or not yet. */
function Trouble() {
  const states = useResource(
    (signal) => client.value.listViewStates({ status: "halted,building", limit: 10, signal }),
    [],
    { every: 2_000 },
  );
  return (
    <Section title="Halted and building views">
      <Loaded of={states}>
        {(page) =>
          page.views.length === 0 ? (
            <Empty title="Every view is live." />
          ) : (
            <Table
              name="Halted and building views"
              rows={page.views}
              id={(view) => view.view_id}
              columns={[
                { name: "Log", cell: (view) => <Name of={view.log} href={link(["logs", view.log])} /> },
                {
                  name: "View",
                  cell: (view) => <Name of={view.view} href={link(["logs", view.log, "views", view.view])} />,
                },
                { name: "State", cell: (view) => <StateOfView of={view} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function StateOfView(props: { of: Schemas["ViewState"] }) {
  const { status, halted_sequence, applied, head, view } = props.of;
  if (status === "building") {
    return (
      <>
        <Status of={status} /> <Progress name={`Build of ${view}`} of={head > 0 ? applied / head : 0} />
      </>
    );
  }
  return (
    <>
      <Status of={status} /> at event <Num of={halted_sequence} />
    </>
  );
}

function ActiveLogs() {
  const logs = useResource((signal) => client.value.listLogs({ sort: "activity", limit: 8, signal }), [], {
    every: 2_000,
  });
  return (
    <Section title="Latest active logs" actions={<a href={link(["logs"], { sort: "activity" })}>All logs</a>}>
      <Loaded of={logs}>
        {(page) =>
          page.logs.length === 0 ? (
            <Empty title="There is no log yet.">
              <p>The first event of a customer makes one.</p>
            </Empty>
          ) : (
            <Table
              name="Latest active logs"
              still
              rows={page.logs}
              id={(log) => log.log_id}
              columns={[
                { name: "Log", cell: (log) => <Name of={log.name} href={link(["logs", log.name])} /> },
                { name: "Events", number: true, cell: (log) => <Num of={log.sequence} /> },
                { name: "Latest", cell: (log) => <Time at={log.recorded_at} relative /> },
              ]}
            />
          )
        }
      </Loaded>
    </Section>
  );
}

function FiringAlerts() {
  const alerts = useResource((signal) => client.value.listAlerts({ limit: 100, signal }), [], { every: 3_000 });
  return (
    <Section title="Alerts" actions={<a href={link(["alerts"])}>All alerts</a>}>
      <Loaded of={alerts}>
        {(page) => {
          const firing = page.alerts.filter((alert) => alert.firing || alert.failing);
          if (page.alerts.length === 0) return <Empty title="There is no alert." />;
          if (firing.length === 0) return <Empty title="No alert is firing." />;
          return (
            <Table
              name="Firing alerts"
              rows={firing}
              id={(alert) => alert.name}
              columns={[
                { name: "Alert", cell: (alert) => <Name of={alert.name} href={link(["alerts", alert.name])} /> },
                { name: "State", cell: (alert) => <Status of={alert.firing ? "firing" : "no value"} /> },
              ]}
            />
          );
        }}
      </Loaded>
    </Section>
  );
}

function Refusals(props: { of: Activity; minutes: string }) {
  return (
    <Section title="Refusals" note={`in ${props.minutes} min, by code`}>
      {props.of.refusals.length === 0 ? (
        <Empty title="Nothing was refused." />
      ) : (
        <Table
          name="Refusals"
          rows={props.of.refusals}
          id={(one) => one.code}
          columns={[
            { name: "Code", cell: (one) => <code>{one.code}</code> },
            { name: "Requests", number: true, cell: (one) => <Num of={one.count} /> },
          ]}
        />
      )}
    </Section>
  );
}
