import type { Question, TallyError, WatchedAnswer } from "@tallystick/client";
import { computed } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { now } from "../../core/clock";
import { useResource, type Resource } from "../../core/resource";
import { client } from "../../core/session";
import { useStream } from "../../core/stream";

/** The beginning of the present hour and quarter of an hour, in milliseconds: ranges move on with them. */
export const hour = computed(() => Math.floor(now.value / 3_600_000) * 3_600_000);
export const quarterHour = computed(() => Math.floor(now.value / 900_000) * 900_000);

/** An answer, with what it was asked for: what is asked now may be another thing already. */
export interface Told<Plan, T> {
  plan: Plan;
  answer: T;
  text: string;
  sequence: number;
}

/** A view's answer, as it changes. The former stays until there is one to a new question. */
export function useAnswer<Plan, T>(
  log: string,
  view: string,
  question: Question,
  plan: Plan,
): { told: Told<Plan, T> | undefined; error: TallyError | undefined } {
  const [state, setState] = useState<{ told?: Told<Plan, T>; problem?: TallyError }>({});
  const key = JSON.stringify([log, view, question]);
  const of = `${log}/${view}`;
  const shown = useRef(of);
  if (shown.current !== of && state.told !== undefined) setState({});
  shown.current = of;
  const { error } = useStream(
    (signal) => marked(plan, client.value.watch<T>(log, view, question, { signal })),
    ({ item, plan: asked }) => {
      if (item.problem) {
        setState((before) => ({ ...before, problem: item.problem }));
      } else {
        setState({
          told: { plan: asked, answer: item.answer, text: item.text, sequence: item.sequence },
        });
      }
    },
    [key],
  );
  return { told: state.told, error: error ?? state.problem };
}

async function* marked<Plan, T>(
  plan: Plan,
  items: AsyncIterable<WatchedAnswer<T>>,
): AsyncGenerator<{ plan: Plan; item: WatchedAnswer<T> }> {
  for await (const item of items) yield { plan, item };
}

const leastPause = 1_500; // ms between two rounds of questions that follow a log

/** What is asked anew as a log grows, though not for each event: totals beside an answer that is watched. */
export function useFollowing<T>(
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  deps: readonly unknown[],
  sequence: number | undefined,
  options: { every?: number } = {},
): Resource<T> {
  const resource = useResource(load, deps, options);
  const paced = usePaced(sequence, leastPause);
  useEffect(() => {
    if (paced !== undefined) resource.reload(); // also the first time: what was loaded before may be from before it
  }, [paced]);
  return resource;
}

/** A value that changes at most so often; its last change is never left out. */
function usePaced<T>(value: T, pause: number): T {
  const [paced, setPaced] = useState(value);
  const next = useRef(0);
  useEffect(() => {
    const wait = Math.max(0, next.current - Date.now());
    const timer = window.setTimeout(() => {
      next.current = Date.now() + pause;
      setPaced(value);
    }, wait);
    return () => window.clearTimeout(timer);
  }, [value]);
  return paced;
}
