import type { Schemas } from "@tallystick/client";
import { link, refine, route } from "../core/route";
import { useResource } from "../core/resource";
import { client, may } from "../core/session";
import { TextField } from "../ui/form";
import { Json } from "../ui/json";
import { Facts, Page, Section } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Num, Status, Time } from "../ui/values";
import { Live } from "./query/answer";
import { Audit } from "./view/audit";
import { Halt } from "./view/halt";
import { currentView } from "./view/current";
import { Done } from "./view/done";
import { BuildProgress } from "./view/progress";
import { RetireView } from "./view/retire";
import { Versions } from "./view/versions";
import { What } from "./view/what";
import "../styles/query.css";
import "../styles/views.css";

type View = Schemas["View"];

/** One view of a log: how it stands, what it answers, its versions, and what can be done with it. */
export function ViewPage(props: { log: string; view: string }) {
  const { log, view } = props;
  const allowed = may("read", "query", "deploy");
  const current = useResource(allowed ? (signal) => currentView(log, view, signal) : undefined, [log, view], {
    every: 1_000,
  });
  const one = current.data;
  const history = useResource(
    allowed ? (signal) => client.value.listViewVersions(log, view, { limit: 100, signal }) : undefined,
    [log, view],
    { every: 4_000 },
  );
  const reload = () => {
    current.reload();
    history.reload();
  };
  return (
    <Page
      title={view}
      crumbs={[
        { name: "Logs", href: link(["logs"]) },
        { name: log, href: link(["logs", log]) },
      ]}
      actions={one && <Actions log={log} view={one} reload={reload} />}
    >
      <Needs scopes={["read", "query", "deploy"]}>
        <Loaded of={current} lines={14}>
          {(found) => (
            <>
              <Standing of={found} />
              <Progressing log={log} of={found} reload={reload} />
              <div class="halves">
                {found.status === "live" && may("query") && <LiveAnswer log={log} view={found} />}
                <Facing of={found} />
              </div>
            </>
          )}
        </Loaded>
        <Loaded of={history} lines={6}>
          {({ versions, actions }) => (
            <>
              <Versions log={log} view={view} live={one} versions={versions} reload={reload} />
              {may("read", "deploy") && one && one.status !== "retired" && <Audit log={log} view={one} />}
              <Done log={log} actions={actions} />
            </>
          )}
        </Loaded>
      </Needs>
    </Page>
  );
}

function Actions(props: { log: string; view: View; reload: () => void }) {
  const { log, view } = props;
  return (
    <>
      {may("query") && (
        <>
          <a class="button" href={link(["logs", log, "usage", view.name])}>
            Usage
          </a>
          <a class="button" href={link(["query"], { log, view: view.name })}>
            Query
          </a>
        </>
      )}
      {may("deploy") && (
        <>
          <a class="button" href={link(["logs", log, "deploy"], { view: view.name, again: 1 })}>
            Deploy a new version
          </a>
          {(view.status !== "retired" || view.successor) && <RetireView {...props} />}
        </>
      )}
    </>
  );
}

/** How the view stands, on a line. */
function Standing(props: { of: View }) {
  const { of } = props;
  return (
    <p class="row standing">
      <Status of={of.status} />
      <span>
        version <Num of={of.version} />
      </span>
      <What of={of} />
      <span class="dim">
        {of.applied === of.head ? "has counted all " : "has counted "}
        {of.applied !== of.head && (
          <>
            <Num of={of.applied} /> of{" "}
          </>
        )}
        <Num of={of.head} unit="events" />
      </span>
    </p>
  );
}

/** What is under way, or stuck: of the version that answers, and of the one that is to take its place. */
function Progressing(props: { log: string; of: View; reload: () => void }) {
  const { log, of, reload } = props;
  return (
    <>
      {[of, of.successor].map((one) =>
        one?.status === "halted" ? (
          <Halt key={one.version} log={log} of={one} isSuccessor={one !== of} reload={reload} />
        ) : one?.progress ? (
          <Section
            key={one.version}
            title={one === of ? "It is being built" : `Version ${one.version} is being built in its place`}
            note={one === of ? "It answers once it is at the log's head." : `Version ${of.version} answers until then.`}
          >
            <BuildProgress of={one.progress} name={`version ${one.version}`} />
          </Section>
        ) : null,
      )}
    </>
  );
}

function LiveAnswer(props: { log: string; view: View }) {
  const { log, view } = props;
  const { q = "" } = route.value.query;
  return (
    <Section title="Answer">
      <TextField
        name="Question"
        value={q}
        placeholder="window=day"
        onInput={(text) => refine({ q: text })}
        hint="As the query string of a query; the answer follows it."
      />
      <div class="answer">
        <Live asked={{ log, view: view.name, question: q }} />
      </div>
    </Section>
  );
}

/** What the version is. */
function Facing(props: { of: View }) {
  const { of } = props;
  return (
    <Section title="What it is">
      <Facts
        rows={[
          ["Module", <What of={of} />],
          ["Gas for an event", <Num of={of.gas} />],
          ["Deployed", <Time at={of.created_at} />],
          ["By", <bdi>{of.actor ?? "nobody said"}</bdi>],
          ["Live since", <Time at={of.live_at} />],
          ["Guard", <Guard of={of} />],
        ]}
      />
      <Json name="Configuration" value={of.config} />
    </Section>
  );
}

function Guard(props: { of: View }) {
  const { of } = props;
  if (!of.guard) return <>none: it counts what is appended, and refuses nothing</>;
  return (
    <>
      decides on each event before it is appended, and may refuse it. While the view is halted, events are{" "}
      <strong>{of.on_halt === "refuse" ? "refused" : "admitted without it"}</strong>.
    </>
  );
}
