import { ExactNumber, stringifyExact, type Schemas } from "@tallystick/client";
import { useEffect, useState } from "preact/hooks";
import type { TallyError } from "@tallystick/client";
import { asTallyError } from "../../core/resource";
import { link } from "../../core/route";
import { client, noticeFailure } from "../../core/session";
import { visible } from "../../ui/json";
import { Section } from "../../ui/page";
import { Empty, Loading, Problem } from "../../ui/states";
import { Name, Num, Status } from "../../ui/values";

const atOnce = 20_000; // events that are folded without being asked for: a fraction of a second for most views

type Explanation = Schemas["EventExplanation"];
type Told = Schemas["ViewExplanation"];

const outcomes: Readonly<Record<string, string>> = {
  applied: "It changed the state.",
  ignored: "It changes nothing in this view.",
  not_counted: "It could not be counted, in whole or in part.",
  left_out: "The view was resumed past it.",
  halted: "The view halted over it.",
  not_yet: "The view has not come to it.",
  unknown: "It could not be found out.",
};

/** What each view made of the event. For an event far in, the viewer asks for it: all events up to it are folded again. */
export function Counted(props: { log: string; sequence: number }) {
  const { log, sequence } = props;
  const [wanted, setWanted] = useState(sequence <= atOnce);
  const [told, setTold] = useState<Explanation | undefined>();
  const [error, setError] = useState<TallyError | undefined>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!wanted) return;
    const ending = new AbortController();
    setError(undefined);
    client.value.explainEvent(log, sequence, { signal: ending.signal }).then(setTold, (caught: unknown) => {
      if (ending.signal.aborted) return;
      noticeFailure(caught);
      setError(asTallyError(caught));
    });
    return () => ending.abort();
  }, [log, sequence, wanted, turn, client.value]);
  return (
    <Section
      title="How it was counted"
      note="Each view's events are folded again, in memory, up to this one."
      actions={
        told && (
          <button type="button" class="small" onClick={() => setTurn(turn + 1)}>
            Again
          </button>
        )
      }
    >
      {error && <Problem error={error} retry={() => setTurn(turn + 1)} />}
      {told ? (
        <Views log={log} views={told.views} />
      ) : wanted ? (
        !error && <Loading lines={4} />
      ) : (
        <div class="event-ask">
          <p>
            This folds <Num of={sequence} /> events again, for each view. It may take up to 45 seconds, and appends go
            on.
          </p>
          <button type="button" class="primary" onClick={() => setWanted(true)}>
            Find out
          </button>
        </div>
      )}
    </Section>
  );
}

function Views(props: { log: string; views: readonly Told[] }) {
  if (props.views.length === 0) {
    return (
      <Empty title="The log has no view.">
        <p>An event is kept all the same, and a view that is deployed later counts it.</p>
      </Empty>
    );
  }
  return (
    <>
      {props.views.map((one) => (
        <div key={`${one.view} ${one.version}`} class="counted">
          <header class="row">
            <h3>
              <Name of={one.view} href={link(["logs", props.log, "views", one.view])} />
            </h3>
            <span class="dim">version {one.version}</span>
            <Status of={one.outcome} />
            {one.status !== "live" && <span class="dim">the view is {one.status}</span>}
          </header>
          <p>
            {outcomes[one.outcome] ?? one.outcome}
            {one.reason !== undefined && (
              <>
                {" "}
                <bdi class="counted-reason">{visible(one.reason)}</bdi>
              </>
            )}
          </p>
          {one.changes.length > 0 && <Changes of={one} />}
        </div>
      ))}
    </>
  );
}

function Changes(props: { of: Told }) {
  const { view, changes, changes_left_out: left } = props.of;
  return (
    <>
      <div class="table" role="region" tabIndex={0} aria-label={`What it changed of ${view}`}>
        <table class="state-changes">
          <thead>
            <tr>
              <th scope="col">Key of the state</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <tr key={change.key}>
                <td>
                  <bdi class="mono name">{visible(change.key)}</bdi>
                </td>
                <td>
                  <Value of={change.before} cut={change.before_cut} />
                </td>
                <td>
                  <Value of={change.after} cut={change.after_cut} other={change.before} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {left > 0 && (
        <p class="note">
          It changed <Num of={left} /> keys besides.
        </p>
      )}
    </>
  );
}

/** A value of state, a member to a line; members that are other than before stand out. */
function Value(props: { of: unknown; cut: string | undefined; other?: unknown }) {
  const { of: value, cut, other } = props;
  if (cut !== undefined) return <code class="state-value">{visible(cut)}…</code>;
  if (value === undefined) return <span class="dim">none</span>;
  if (!isObject(value)) return <code class="state-value">{written(value)}</code>;
  const before = isObject(other) ? other : undefined;
  return (
    <code class="state-value">
      {Object.entries(value).map(([name, member]) => {
        const text = `${visible(name)}: ${written(member)}`;
        const same = !before || (Object.hasOwn(before, name) && written(before[name]) === written(member));
        return <span key={name}>{same ? text : <mark>{text}</mark>}</span>;
      })}
    </code>
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

function written(value: unknown): string {
  return visible(stringifyExact(value));
}
