import type { TallyError } from "@tallystick/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { visible } from "./connection";
import { asTallyError } from "./resource";
import { client, noticeFailure } from "./session";

const retryAfter = 3_000; // ms after a stream that could not begin
const longestTurn = 8; // ms of items in a row before the page may draw and answer: half of a frame

/** Hands items on, however fast they come, without keeping the page from its other work. */
async function* paced<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void, undefined> {
  let began = performance.now();
  for await (const item of items) {
    yield item;
    if (performance.now() - began < longestTurn) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    began = performance.now();
  }
}

/**
 * Follows a stream (`tally.tail`, `tally.watch`) while the page can be seen, and hands on each item. `open` is called again after a pause,
 * so it must go on where `take` was last given something. With `undefined` for `open` nothing is followed.
 *
 * A browser has six connections to a server without TLS, for all its tabs together: a page follows one stream, two at most.
 */
export function useStream<T>(
  open: ((signal: AbortSignal) => AsyncIterable<T>) | undefined,
  take: (item: T) => void,
  deps: readonly unknown[],
): { error: TallyError | undefined } {
  const [error, setError] = useState<TallyError | undefined>(undefined);
  const latest = useRef({ open, take });
  latest.current = { open, take };
  const followed = open !== undefined && visible.value;
  useEffect(() => {
    if (!followed) return;
    const ending = new AbortController();
    let timer: number | undefined;
    const once = async () => {
      try {
        for await (const item of paced(latest.current.open?.(ending.signal) ?? [])) {
          if (ending.signal.aborted) return;
          setError(undefined);
          latest.current.take(item);
        }
      } catch (caught) {
        if (ending.signal.aborted) return;
        noticeFailure(caught);
        setError(asTallyError(caught));
      }
      if (!ending.signal.aborted) timer = window.setTimeout(() => void once(), retryAfter);
    };
    void once();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [...deps, followed, client.value]);
  return { error };
}
