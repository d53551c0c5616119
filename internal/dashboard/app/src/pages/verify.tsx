import "../styles/verify.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { useResource } from "../core/resource";
import { link, refine, route } from "../core/route";
import { client, may } from "../core/session";
import { Form, SelectField, TextField, useAction } from "../ui/form";
import { Page, Section } from "../ui/page";
import { Needs } from "../ui/states";
import { Num, Progress } from "../ui/values";
import { shellWord, Commands } from "./log/append";
import { LogTabs } from "./log";
import { Checkpoint } from "./verify/checkpoint";
import { ReportOf } from "./verify/report";
import { verify, type Reading, type Report } from "./verify/run";

/** Whether a log is what was recorded: the server reads it again, and the viewer sees how far it is and what it finds. */
export function VerifyPage(props: { log: string }) {
  return (
    <Page title={props.log} crumbs={[{ name: "Logs", href: link(["logs"]) }]}>
      <LogTabs log={props.log} />
      <Needs scopes={["read"]}>
        <Verify log={props.log} />
        <Checkpoint log={props.log} />
      </Needs>
    </Page>
  );
}

function Verify(props: { log: string }) {
  const { log } = props;
  const { views = "all", sequence = "", hash = "" } = route.value.query;
  const [reading, setReading] = useState<Reading | undefined>();
  const [report, setReport] = useState<Report | undefined>();
  const [stopped, setStopped] = useState(false);
  const ending = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => ending.current?.abort(), []); // who leaves the page ends the work
  const known = useResource(may("read") ? (signal) => client.value.listViews(log, { signal }) : undefined, [log]);
  const action = useAction(async () => {
    const abort = new AbortController();
    ending.current = abort;
    setReport(undefined);
    setReading({ what: "chain", done: 0, total: 0 });
    setStopped(false);
    try {
      setReport(await verify(log, { views, sequence, hash }, setReading, abort.signal));
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      setStopped(true);
    } finally {
      setReading(undefined);
    }
  });
  const names = known.data?.views.map((one) => one.name) ?? [];
  return (
    <>
      <Section
        title="Verify"
        note="Reads every event again, computes the chain, folds the views' events in other ways, and compares."
      >
        <Form submit="Verify the log" action={action}>
          <div class="filters">
            <SelectField
              name="Views to fold again"
              value={views}
              options={[
                ["all", "All"],
                ["none", "None: the chain alone"],
                ...[...new Set([...names, ...(["all", "none"].includes(views) ? [] : [views])])].map(
                  (name) => [name, name] as const,
                ),
              ]}
              onInput={(value) => refine({ views: value === "all" ? undefined : value })}
            />
            <TextField
              name="Sequence of a noted head"
              value={sequence}
              onInput={(value) => refine({ sequence: value.trim() })}
            />
            <TextField name="Its hash" value={hash} onInput={(value) => refine({ hash: value.trim() })} />
          </div>
        </Form>
        <div class="verify-progress" role="status">
          {reading && (
            <>
              <Progress name={`Verifying ${reading.what}`} of={reading.total > 0 ? reading.done / reading.total : 0} />
              <span>
                {reading.what === "chain" ? "the chain" : <bdi>{reading.what}</bdi>}: <Num of={reading.done} /> of{" "}
                <Num of={reading.total} /> events
              </span>
              <button type="button" class="small" onClick={() => ending.current?.abort()}>
                Stop
              </button>
            </>
          )}
          {stopped && <span class="dim">Stopped: nothing was found out.</span>}
          {!reading && !stopped && !report && (
            <span class="dim">Leaving the page stops it. Appends go on meanwhile.</span>
          )}
        </div>
      </Section>
      {report && <ReportOf log={log} report={report} />}
      <Section title="The same elsewhere">
        <Commands
          path={["logs", log, "verify"]}
          query={views === "all" ? "" : `?views=${encodeURIComponent(views)}`}
          cli={`tally verify ${shellWord(log)}${views === "all" ? "" : ` --views ${shellWord(views)}`}`}
        />
      </Section>
    </>
  );
}
