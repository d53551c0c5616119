import { link, route } from "../core/route";
import { useResource } from "../core/resource";
import { client } from "../core/session";
import { Page } from "../ui/page";
import { Empty, Loaded, Needs } from "../ui/states";
import { Status } from "../ui/values";
import { usageOf } from "./usage/kinds";
import "../styles/usage.css";

/** What one view has counted of a log: charts for the kinds of views that are known, and the answer itself for any other. */
export function UsagePage(props: { log: string; view: string }) {
  const { log, view } = props;
  return (
    <Page
      title={view}
      crumbs={[{ name: "Logs", href: link(["logs"]) }, { name: log, href: link(["logs", log]) }, { name: "Usage" }]}
      actions={
        <a class="button small" href={link(["logs", log, "views", view])}>
          The view itself
        </a>
      }
    >
      <Needs scopes={["query"]}>
        <Usage log={log} view={view} />
      </Needs>
    </Page>
  );
}

function Usage(props: { log: string; view: string }) {
  const { log, view } = props;
  const views = useResource((signal) => client.value.listViews(log, { signal }), [log], { every: 15_000 });
  return (
    <Loaded of={views} lines={8}>
      {({ views: all }) => {
        const one = all.find((each) => each.name === view);
        const Kind = usageOf(one?.ready);
        return (
          <>
            {all.length > 1 && <Switch log={log} view={view} names={all.map((each) => each.name)} />}
            {!one && <Empty title="This log has no view of that name." />}
            {one && one.status !== "live" && (
              <p class="note">
                <Status of={one.status} /> It is not live, so what it last counted may be missing or old.
              </p>
            )}
            {one && <Kind key={one.name} log={log} view={one} />}
          </>
        );
      }}
    </Loaded>
  );
}

/** The other views of the log; what is chosen for one stays chosen for the next. */
function Switch(props: { log: string; view: string; names: readonly string[] }) {
  const { range, from, to, tz, compare } = route.value.query;
  return (
    <nav class="tabs" aria-label="Views of the log">
      {props.names.map((name) => (
        <a
          key={name}
          href={link(["logs", props.log, "usage", name], { range, from, to, tz, compare })}
          aria-current={name === props.view ? "page" : undefined}
        >
          <bdi>{name}</bdi>
        </a>
      ))}
    </nav>
  );
}
