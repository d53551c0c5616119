import type { Answer, Schemas } from "@tallystick/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { now } from "../../core/clock";
import { duration } from "../../core/format";
import { link } from "../../core/route";
import { may } from "../../core/session";
import { useAction } from "../../ui/form";
import { visible } from "../../ui/json";
import { Facts, Section } from "../../ui/page";
import { Problem } from "../../ui/states";
import { Num, Progress } from "../../ui/values";
import { reportOf, type Reading } from "../verify/run";

type Audited = Answer<"audit-view">;

/** Has the server fold the view's events again, in several ways, and compare. Leaving the page ends it. */
export function Audit(props: { log: string; view: Schemas["View"] }) {
  const { log, view } = props;
  const [result, setResult] = useState<Audited | undefined>();
  const [began, setBegan] = useState(0);
  const [reading, setReading] = useState<Reading | undefined>();
  const ending = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const action = useAction(async () => {
    const abort = new AbortController();
    ending.current = abort;
    setBegan(Date.now());
    setResult(undefined);
    setReading(undefined);
    const path = `/logs/${encodeURIComponent(log)}/views/${encodeURIComponent(view.name)}/audit`;
    try {
      setResult(await reportOf<Audited>("POST", path, setReading, abort.signal));
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
  });
  return (
    <Section
      title="Audit"
      note="Folds all events again, in several ways, and compares each with the stored state, byte for byte."
      actions={
        <button type="button" aria-disabled={action.busy} aria-busy={action.busy} onClick={action.start}>
          {action.busy ? "Auditing" : "Audit"}
        </button>
      }
    >
      <div class="audit" role="status">
        {action.busy && (
          <div class="build">
            <Progress name="Audit" of={reading && reading.total > 0 ? reading.done / reading.total : 0} />
            <p class="build-words">
              <span>
                <Num of={reading?.done ?? 0} /> of <Num of={reading?.total ?? view.applied} unit="events" /> folded
                again; appends go on meanwhile.
              </span>
              <button type="button" class="small" onClick={() => ending.current?.abort()}>
                Stop
              </button>
              <span class="num">{duration(Math.max(0, Math.floor((now.value - began) / 1000) * 1000))} so far</span>
            </p>
          </div>
        )}
        {result && <Result of={result} log={log} />}
        {!action.busy && !result && !action.error && (
          <p class="note">It takes as long as reading the log three times or so.</p>
        )}
      </div>
      {action.error && <Problem error={action.error} />}
    </Section>
  );
}

function Result(props: { of: Audited; log: string }) {
  const { of, log } = props;
  const { difference } = of;
  return (
    <div class={of.ok ? "audit-result good" : "audit-result bad"}>
      <p>
        <strong>{of.ok ? "All agree." : "Something differs."}</strong> Version {of.version}: <Num of={of.events} />{" "}
        events were folded in {of.ways.length} ways, and <Num of={of.keys} /> keys compared, as of event{" "}
        <Num of={of.sequence} />, in {duration(of.seconds * 1000)}.
        {of.skipped > 0 && (
          <>
            {" "}
            <Num of={of.skipped} /> {of.skipped === 1 ? "event is" : "events are"} left out of this version, since
            somebody resumed it past {of.skipped === 1 ? "it" : "them"}.
          </>
        )}
      </p>
      <p class="note">{of.ways.join(" · ")}</p>
      {difference && (
        <Facts
          rows={[
            ["Differs", <bdi>{visible(difference.way)}</bdi>],
            [
              "After event",
              may("read") ? (
                <a href={link(["logs", log, "events", String(difference.sequence)])}>
                  <Num of={difference.sequence} />
                </a>
              ) : (
                <Num of={difference.sequence} />
              ),
            ],
            ["Key", <code>{visible(difference.key)}</code>],
            ["One event at a time", <code>{visible(difference.expected ?? "no such key")}</code>],
            ["The other way", <code>{visible(difference.found ?? "no such key")}</code>],
          ]}
        />
      )}
    </div>
  );
}
