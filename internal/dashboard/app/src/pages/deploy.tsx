import { link, route } from "../core/route";
import { useResource } from "../core/resource";
import { client } from "../core/session";
import { Page } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Deployment } from "./deploy/deployment";
import { currentView } from "./view/current";
import "../styles/deploy.css";

/** Deploys a view on one log; without a log, on all whose names match a pattern. */
export function DeployPage(props: { log?: string }) {
  const { log } = props;
  const crumbs =
    log === undefined
      ? [{ name: "Views", href: link(["views"]) }]
      : [
          { name: "Logs", href: link(["logs"]) },
          { name: log, href: link(["logs", log]) },
        ];
  return (
    <Page title={log === undefined ? "Deploy a view on a pattern of logs" : "Deploy a view"} crumbs={crumbs}>
      <Needs scopes={["deploy"]}>
        <Begun log={log} />
      </Needs>
    </Page>
  );
}

/** The ready views, and what a view has now if it is deployed again. */
function Begun(props: { log: string | undefined }) {
  const { view = "", again } = route.peek().query;
  const begun = useResource(
    async (signal) => {
      const { views } = await client.value.listReadyViews({ signal });
      const before = again === undefined || view === "" ? undefined : await deployed(props.log, view, signal);
      return { views, before };
    },
    [props.log],
  );
  return (
    <Loaded of={begun} lines={12}>
      {({ views, before }) => <Deployment log={props.log} ready={views} before={before} />}
    </Loaded>
  );
}

async function deployed(log: string | undefined, view: string, signal: AbortSignal) {
  if (log === undefined) return client.value.getViewPattern(view, { signal });
  const found = await currentView(log, view, signal);
  return found.successor ?? found;
}
