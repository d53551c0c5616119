import type { TallyError, ViewAnswer } from "@tallystick/client";
import { useEffect, useState } from "preact/hooks";
import { duration } from "../../core/format";
import { client } from "../../core/session";
import { useStream } from "../../core/stream";
import { CopyButton } from "../../ui/copy";
import { Json } from "../../ui/json";
import { Section } from "../../ui/page";
import { Empty, Problem } from "../../ui/states";
import { Num } from "../../ui/values";
import { parametersOf, type Asked } from "./question";

/** An answer, and how long it took from here. */
export type Answered = ViewAnswer & { ms: number };

const longestText = 200_000; // characters of CSV or text that are shown

/** The answer to the last question; or, live, the one of now. */
export function Answer(props: { asked: Asked; live: boolean; answered: Answered | undefined }) {
  const { asked, live, answered } = props;
  return (
    <Section
      title="Answer"
      note={
        !live && answered ? (
          <>
            after event <Num of={answered.sequence} />, in {duration(answered.ms)}
          </>
        ) : undefined
      }
    >
      <div class="answer">
        {live ? (
          <Live asked={asked} />
        ) : answered ? (
          <Shown answer={answered.answer} text={answered.text} />
        ) : (
          <Empty title="Ask, and the answer is here." />
        )}
      </div>
    </Section>
  );
}

function Shown(props: { answer: unknown; text: string }) {
  if (typeof props.answer !== "string") return <Json name="answer" value={props.answer} raw={props.text} />;
  return (
    <div class="json">
      <pre role="region" tabIndex={0} aria-label="answer">
        {props.answer.slice(0, longestText)}
        {props.answer.length > longestText && "…"}
      </pre>
      <CopyButton text={props.text} name="Copy answer" />
    </div>
  );
}

/** The answer of now, as it changes. */
export function Live(props: { asked: Asked }) {
  const { log, view, question } = props.asked;
  const [now, setNow] = useState<{
    answer: unknown;
    text: string;
    sequence: number;
    problem: TallyError | undefined;
  }>();
  useEffect(() => setNow(undefined), [log, view, question]);
  const { error } = useStream(
    (signal) => client.value.watch(log, view, Object.fromEntries(parametersOf(question)), { signal }),
    (said) => setNow({ answer: said.answer, text: said.text, sequence: said.sequence, problem: said.problem }),
    [log, view, question],
  );
  const problem = error ?? now?.problem;
  return (
    <>
      <p class="note">
        {now ? (
          <>
            live, after event <Num of={now.sequence} />
          </>
        ) : (
          "waiting for the first answer"
        )}
      </p>
      {problem ? <Problem error={problem} /> : now && <Shown answer={now.answer} text={now.text} />}
    </>
  );
}
