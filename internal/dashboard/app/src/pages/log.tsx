import "../styles/log.css";
import type { Schemas } from "@tallystick/client";
import { rounded } from "../core/format";
import { link, route } from "../core/route";
import { useResource } from "../core/resource";
import { client, may } from "../core/session";
import { CopyButton } from "../ui/copy";
import { Facts, Figure, Page, Section, Tabs } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Num, Time } from "../ui/values";
import { HowToAppend } from "./log/append";
import { RateChart, useRates } from "./log/rate";
import { Recent, useRecent } from "./log/recent";
import { Views } from "./log/views";
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

/** One log: its head and how fast it moves, its views with today's answers, its recent events. */
export function LogPage(props: { log: string }) {
  return (
    <Page title={props.log} crumbs={[{ name: "Logs", href: link(["logs"]) }]}>
      <LogTabs log={props.log} />
      <Needs scopes={["append", "read", "query", "deploy"]}>
        <Glance log={props.log} />
      </Needs>
    </Page>
  );
}

function Glance(props: { log: string }) {
  const log = useResource((signal) => client.value.getLog(props.log, { signal }), [props.log], { every: 2_000 });
  const recent = useRecent(props.log, may("read") ? log.data?.sequence : undefined);
  const latest = recent.data?.[0];
  // The tail is ahead of the head that was looked at last.
  const head = Math.max(log.data?.sequence ?? 0, latest?.sequence ?? 0);
  const { rate, points } = useRates(log.data && head);
  return (
    <Loaded of={log} lines={12}>
      {(one) => (
        <>
          <div class="log-top">
            <dl class="figures">
              <Figure
                name="Events"
                note={one.sequence > 0 ? <Recorded of={one} latest={latest?.recorded_at} /> : "none yet"}
              >
                <Num of={head} />
              </Figure>
              <Figure name="Events a second" note="over the last two seconds">
                {rate === undefined ? "–" : rounded(rate)}
              </Figure>
            </dl>
            <Section title="Rate" class="log-rate">
              <RateChart points={points} />
            </Section>
          </div>
          {head === 0 && may("append") && (
            <Section title="Append its first event">
              <HowToAppend log={props.log} />
            </Section>
          )}
          {may("read", "query", "deploy") && <Views log={props.log} head={head} />}
          {may("read") && head > 0 && <Recent log={props.log} of={recent} />}
          <Section title="About the log">
            <Facts
              rows={[
                ["Hash of all of it", <Whole key="hash" of={latest?.sequence === head ? latest.hash : one.hash} />],
                ["Log id", <Whole key="id" of={one.log_id} />],
                ["Created", <Time key="created" at={one.created_at} />],
                ["Labels", Object.keys(one.labels).length > 0 ? <Labels key="labels" of={one.labels} /> : "none"],
              ]}
            />
          </Section>
        </>
      )}
    </Loaded>
  );
}

function Recorded(props: { of: Schemas["Log"]; latest: string | undefined }) {
  return (
    <>
      the latest <Time at={props.latest ?? props.of.recorded_at} relative />
    </>
  );
}

/** An id or hash in full, to copy. */
function Whole(props: { of: string }) {
  return (
    <span class="whole">
      <code>{props.of}</code> <CopyButton text={props.of} />
    </span>
  );
}
