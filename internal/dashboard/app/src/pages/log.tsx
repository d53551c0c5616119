import { link, route } from "../core/route";
import { useResource } from "../core/resource";
import { client, may } from "../core/session";
import { Facts, Page, Section, Tabs } from "../ui/page";
import { Loaded } from "../ui/states";
import { Hash, Num, Time } from "../ui/values";
import { Labels } from "./logs";

/** The parts of a log's pages. */
export function LogTabs(props: { log: string }) {
  const part = route.value.path[2] ?? "";
  const tab = (name: string, path: string) => ({
    name,
    href: link(path === "" ? ["logs", props.log] : ["logs", props.log, path]),
    current: part === path,
  });
  return (
    <Tabs
      name="Parts of the log"
      tabs={[tab("At a glance", ""), ...(may("read") ? [tab("Events", "events"), tab("Verify", "verify")] : [])]}
    />
  );
}

/** One log: its head, its views with today's answers, its recent events. */
export function LogPage(props: { log: string }) {
  const log = useResource((signal) => client.value.getLog(props.log, { signal }), [props.log], { every: 2_000 });
  return (
    <Page title={props.log} crumbs={[{ name: "Logs", href: link(["logs"]) }]}>
      <LogTabs log={props.log} />
      <Section title="Head">
        <Loaded of={log}>
          {(one) => (
            <Facts
              rows={[
                ["Events", <Num of={one.sequence} />],
                ["Latest event", <Time at={one.sequence > 0 ? one.recorded_at : undefined} />],
                ["Hash of all of it", <Hash of={one.hash} />],
                ["Created", <Time at={one.created_at} />],
                ["Labels", Object.keys(one.labels).length > 0 ? <Labels of={one.labels} /> : "none"],
              ]}
            />
          )}
        </Loaded>
      </Section>
    </Page>
  );
}
