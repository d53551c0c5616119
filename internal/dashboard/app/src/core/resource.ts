import { TallyError } from "@tallystick/client";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { recoveries, visible } from "./connection";
import { client, noticeFailure } from "./session";

/** What a page asked the server for. While it is asked again, what came before stays. */
export interface Resource<T> {
  data: T | undefined;
  /** Why there is no newer data; undefined when the last try succeeded. */
  error: TallyError | undefined;
  /** True until the first answer or error. */
  loading: boolean;
  reload: () => void;
}

const retryAfter = 3_000; // ms after an error that may pass

/**
 * Loads something, and again when `deps` change, when the server is back, when the page is seen again, and every `every` milliseconds.
 * `load` must use the signal. With `undefined` for `load` nothing is asked for.
 */
export function useResource<T>(
  load: ((signal: AbortSignal) => Promise<T>) | undefined,
  deps: readonly unknown[],
  options: { every?: number } = {},
): Resource<T> {
  const [state, setState] = useState<Omit<Resource<T>, "reload">>({ data: undefined, error: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  const shown = useRef<readonly unknown[]>([]);
  const { every } = options;
  const asked = load !== undefined;
  const isVisible = visible.value;
  const current = [client.value, ...deps];
  useEffect(() => {
    if (load === undefined) return;
    const other = shown.current.length !== current.length || current.some((dep, i) => dep !== shown.current[i]);
    if (other) {
      shown.current = current;
      setState({ data: undefined, error: undefined, loading: true });
    }
    if (!isVisible) return;
    const ending = new AbortController();
    let timer: number | undefined;
    const once = async () => {
      let next = every;
      try {
        const data = await load(ending.signal);
        if (ending.signal.aborted) return;
        setState({ data, error: undefined, loading: false });
      } catch (error) {
        if (ending.signal.aborted) return;
        noticeFailure(error);
        const failure = asTallyError(error);
        setState((before) => ({ ...before, error: failure, loading: false }));
        if (failure.transient || (failure.status ?? 500) >= 500) next = Math.max(every ?? 0, retryAfter);
      }
      if (next !== undefined) timer = window.setTimeout(() => void once(), next);
    };
    void once();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [...current, turn, isVisible, recoveries.value, asked, every]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

/** Any failure as the one kind that pages show. */
export function asTallyError(error: unknown): TallyError {
  if (error instanceof TallyError) return error;
  return new TallyError({ code: "dashboard", detail: error instanceof Error ? error.message : String(error) });
}
