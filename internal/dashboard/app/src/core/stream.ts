import type { TallyError } from "@tallystick/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { visible } from "./connection";
import { asTallyError } from "./resource";
import { client, noticeFailure } from "./session";

const retryAfter = 3_000; // ms after a stream that could not begin

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
        for await (const item of latest.current.open?.(ending.signal) ?? []) {
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
