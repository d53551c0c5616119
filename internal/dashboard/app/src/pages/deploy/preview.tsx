import type { Answer, Input, TallyError } from "@tallystick/client";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { bytes } from "../../core/format";
import { link } from "../../core/route";
import { useResource } from "../../core/resource";
import { client, may } from "../../core/session";
import { TextField, useAction } from "../../ui/form";
import { Json } from "../../ui/json";
import { Figure, Section } from "../../ui/page";
import { Num } from "../../ui/values";

/** A result, with the log and the deployment that it is of, as a text. */
type Tried = Answer<"preview-view"> & { log: string; asked: string };

/** What is tried, and how it went. */
export interface PreviewState {
  events: string;
  question: string;
  /** The log whose events are tried, for a pattern. */
  log: string | undefined;
  change: (next: Partial<Pick<PreviewState, "events" | "question" | "log">>) => void;
  busy: boolean;
  error: TallyError | undefined;
  tried: Tried | undefined;
  start: (log: string, view: string, deployment: Input<"deploy-view">, asked: string) => void;
}

export function usePreview(): PreviewState {
  const [texts, setTexts] = useState<{ events: string; question: string; log: string | undefined }>({
    events: "10000",
    question: "",
    log: undefined,
  });
  const [tried, setTried] = useState<Tried | undefined>();
  const load = useRef<() => Promise<Tried>>(undefined);
  const action = useAction(async () => {
    setTried(undefined);
    setTried(await load.current?.());
  });
  return {
    ...texts,
    change: (next) => setTexts({ ...texts, ...next }),
    busy: action.busy,
    error: action.error,
    tried,
    start: (log, view, deployment, asked) => {
      const preview = { ...deployment, events: Number(texts.events), question: questionOf(texts.question) };
      load.current = async () => {
        const answer = await client.value.previewView(log, view || "preview", preview);
        return { ...answer, log, asked };
      };
      action.start();
    },
  };
}

/** A query string as the members of a question; what comes more than once is a list. */
function questionOf(text: string): Record<string, string | string[]> {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => {
      const [first = "", ...rest] = parameters.getAll(name);
      return [name, rest.length === 0 ? first : [first, ...rest]];
    }),
  );
}

/** A try of the deployment over a log's last events: what it answers, what it takes, and where it would halt. */
export function Preview(props: {
  of: PreviewState;
  log: string | undefined;
  pattern: string;
  /** The deployment as it is now, as a text. */
  current: string;
  children: ComponentChildren;
}) {
  const { of, log } = props;
  const prefix = props.pattern.split("*")[0] ?? "";
  const logs = useResource(
    log === undefined && may("read", "deploy")
      ? (signal) => client.value.listLogs({ prefix: prefix || undefined, limit: 20, signal })
      : undefined,
    [prefix],
  );
  return (
    <Section title="Preview" note="Folds the log's last events in memory. Nothing is stored, and nothing goes live.">
      <div class="filters">
        {log === undefined && (
          <TextField
            name="Log to try it on"
            value={of.log ?? ""}
            onInput={(text) => of.change({ log: text })}
            list={logs.data?.logs.map((one) => one.name) ?? []}
          />
        )}
        <TextField
          name="Last events"
          type="number"
          value={of.events}
          onInput={(events) => of.change({ events })}
          hint="At most 100 000."
        />
        <TextField
          name="Question"
          value={of.question}
          onInput={(question) => of.change({ question })}
          placeholder="window=day&group_by=model"
          hint="As the query string of a query."
        />
        <div class="field preview-button">
          <button type="submit" value="preview" aria-disabled={of.busy} aria-busy={of.busy}>
            {of.busy ? "Trying" : "Preview"}
          </button>
        </div>
      </div>
      {props.children}
      <div role="status" aria-label="Preview's result">
        {of.tried && <Result of={of.tried} isOld={of.tried.asked !== props.current} />}
      </div>
    </Section>
  );
}

function Result(props: { of: Tried; isOld: boolean }) {
  const { of } = props;
  const { halt, answer_problem: problem } = of;
  return (
    <div class={props.isOld ? "preview old" : "preview"}>
      {props.isOld && <p class="note">This was tried before the latest change above.</p>}
      <p>
        <strong>{verdict(of)}</strong>{" "}
        {halt && (
          <>
            At event{" "}
            {may("read") ? (
              <a href={link(["logs", of.log, "events", String(halt.sequence)])}>
                <Num of={halt.sequence} />
              </a>
            ) : (
              <Num of={halt.sequence} />
            )}
            : <bdi>{halt.error}</bdi>
          </>
        )}
      </p>
      <dl class="figures">
        <Figure
          name="Events folded"
          note={of.events > 0 ? `${of.from_sequence} to ${of.to_sequence}` : undefined}
          {...(halt ? { tone: "bad" as const } : {})}
        >
          <Num of={of.events} />
        </Figure>
        <Figure name="Of no use to it" note="ignored, and not counted">
          <Num of={of.ignored} />
        </Figure>
        <Figure name="Left out" note="earlier events of the log">
          <Num of={of.left_out} />
        </Figure>
        <Figure name="Gas by the event" note={`${of.state_keys} keys, ${bytes(of.state_bytes)}`}>
          <Num of={of.gas_per_event} short />
        </Figure>
      </dl>
      {problem ? (
        <p class="problem">
          <bdi>{problem.detail}</bdi>
        </p>
      ) : typeof of.answer === "string" && of.answer_type !== "application/json" ? (
        <div class="json">
          <pre role="region" tabIndex={0} aria-label="Answer">
            {of.answer.slice(0, 100_000)}
          </pre>
        </div>
      ) : (
        <Json name="Answer" value={of.answer} />
      )}
    </div>
  );
}

function verdict(of: Tried): string {
  if (of.halt) return "It would halt.";
  if (!of.complete) return "It folded for as long as a preview may: these are the events that it came to.";
  if (of.events === 0) return "The log has no event yet.";
  return of.left_out > 0 ? "It folds these events, and answers this." : "It folds all of the log, and answers this.";
}
