import "../styles/events.css";
import { useResource } from "../core/resource";
import { link, route } from "../core/route";
import { client, may } from "../core/session";
import { Page } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Explorer } from "./events/explorer";
import { LogTabs } from "./log";

/** The events of one log: as they come, and back to the first. */
export function EventsPage(props: { log: string }) {
  return (
    <Page title={props.log} crumbs={[{ name: "Logs", href: link(["logs"]) }]}>
      <LogTabs log={props.log} />
      <Needs scopes={["read"]}>
        <Events log={props.log} />
      </Needs>
    </Page>
  );
}

function Events(props: { log: string }) {
  const log = useResource(
    may("read") ? (signal) => client.value.getLog(props.log, { signal }) : undefined,
    [props.log],
    { every: 1_000 },
  );
  return (
    <Loaded of={log} lines={14}>
      {(one) => <Explorer log={props.log} head={one.sequence} query={route.value.query} />}
    </Loaded>
  );
}
