import type { Schemas } from "@tallystick/client";
import { duration } from "../../core/format";
import { useResource, type Resource } from "../../core/resource";
import { link } from "../../core/route";
import { client, may } from "../../core/session";
import { Section } from "../../ui/page";
import { Empty, Loaded } from "../../ui/states";
import { Name, Progress, Status } from "../../ui/values";
import { Answer, kindOf } from "./answer";

const answered = 4; // views whose answers are shown at once: each asks the server while events come

type View = Schemas["View"];

/** The log's views: whether each counts, and what it says of today. */
export function Views(props: { log: string; head: number }) {
  const { log, head } = props;
  const views: Resource<{ views: readonly View[] }> = useResource(
    (signal) => client.value.listViews(log, { signal }),
    [log],
    { every: 3_000 },
  );
  const deploy = may("deploy") && (
    <a class="button small" href={link(["logs", log, "deploy"])}>
      Deploy a view
    </a>
  );
  return (
    <Section title="Views" actions={deploy}>
      <Loaded of={views} lines={6}>
        {({ views: all }) => {
          if (all.length === 0) {
            return (
              <Empty title="No view counts this log yet.">
                <p>Events are kept all the same: a view that is deployed later counts them from the first.</p>
              </Empty>
            );
          }
          const shown = new Set(
            all
              .filter((one) => one.status === "live")
              .slice(0, answered)
              .map((one) => one.name),
          );
          return (
            <div class="log-views">
              {all.map((one) => (
                <Card key={one.name} log={log} view={one} head={head} answers={shown.has(one.name) && may("query")} />
              ))}
            </div>
          );
        }}
      </Loaded>
    </Section>
  );
}

function Card(props: { log: string; view: View; head: number; answers: boolean }) {
  const { log, view, head, answers } = props;
  const { progress } = view.successor ?? view;
  return (
    <div class="log-view">
      <header class="row">
        <h3>
          <Name of={view.name} href={link(["logs", log, "views", view.name])} />
        </h3>
        <Status of={view.status} />
        <span class="dim">{view.ready ?? "own module"}</span>
        {view.status === "live" && may("query") && ["meter", "quota", "rating"].includes(kindOf(view)) && (
          <a class="log-usage" href={link(["logs", log, "usage", view.name])}>
            Usage
          </a>
        )}
      </header>
      {view.error !== undefined && (
        <p class="log-halt">
          <bdi>{view.error}</bdi>
          {view.halted_sequence !== undefined && may("read") && (
            <>
              {" "}
              <a href={link(["logs", log, "events", String(view.halted_sequence)])}>Event {view.halted_sequence}</a>
            </>
          )}
        </p>
      )}
      {progress && (
        <p>
          <Progress name={`Build of ${view.name}`} of={progress.total > 0 ? progress.done / progress.total : 1} />
          {progress.seconds_left !== undefined && (
            <span class="dim"> {duration(progress.seconds_left * 1000)} left</span>
          )}
        </p>
      )}
      {answers && <Answer log={log} view={view} head={head} />}
    </div>
  );
}
