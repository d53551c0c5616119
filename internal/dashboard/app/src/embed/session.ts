import { Tally, TallyError, type Answer, type Question, type WatchedAnswer } from "@tallystick/client";
import { useEffect, useRef, useState } from "preact/hooks";

/** Why a token is asked for. */
export type TokenReason = "missing" | "expiring" | "expired";

export type Session =
  | { state: "waiting" | "expired" | "unreachable" | "refused" }
  | { state: "open"; tally: Tally; caller: Answer<"get-caller"> };

const retryAfter = 5_000; // ms
const early = 30_000; // ms before a token ends that another is asked for, or half of its time where that is shorter
const longestTimer = 2 ** 31 - 1;

/**
 * What a token opens. With another token the session goes on; until there is one, what is shown stays.
 */
export function useSession(
  server: string,
  token: string,
  need: (reason: TokenReason) => void,
): { session: Session; expired: () => void; unreachable: () => void } {
  const [session, setSession] = useState<Session>({ state: "waiting" });
  const [turn, setTurn] = useState(0);
  const asking = useRef(need);
  asking.current = need;
  useEffect(() => {
    if (token === "") {
      setSession({ state: "waiting" });
      asking.current("missing");
      return;
    }
    const ending = new AbortController();
    let timer: number | undefined;
    const later = (run: () => void, ms: number) => (timer = window.setTimeout(run, Math.min(ms, longestTimer)));
    const enter = async () => {
      try {
        const tally = new Tally({ url: server, key: token, deadline: 10_000 });
        const caller = await tally.getCaller({ signal: ending.signal });
        setSession({ state: "open", tally, caller });
        if (caller.expires_at === undefined) return;
        const left = Date.parse(caller.expires_at) - Date.now();
        later(() => asking.current("expiring"), left - Math.min(early, left / 2));
      } catch (error) {
        if (ending.signal.aborted) return;
        if (error instanceof TallyError && error.status === 401) {
          setSession({ state: "expired" });
          asking.current("expired");
          return;
        }
        setSession({ state: isLasting(error) ? "refused" : "unreachable" });
        if (!isLasting(error)) later(() => setTurn((n) => n + 1), retryAfter);
      }
    };
    void enter();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [server, token, turn]);
  const expired = () => {
    setSession({ state: "expired" });
    asking.current("expired");
  };
  return { session, expired, unreachable: () => setTurn((n) => n + 1) };
}

/** Whether trying again changes nothing: a refusal, or an address that is none. */
export function isLasting(error: unknown): boolean {
  if (!(error instanceof TallyError)) return true;
  return error.status !== undefined && error.status < 500 && error.status !== 429 && !error.transient;
}

/** Follows an answer while the page can be seen; `take` gets each. */
export function useWatch<T>(
  tally: Tally,
  log: string,
  view: string,
  question: Question,
  take: (item: WatchedAnswer<T>) => void,
  failed: (error: unknown) => void,
): void {
  const [isVisible, setVisible] = useState(!document.hidden);
  const latest = useRef({ take, failed });
  latest.current = { take, failed };
  useEffect(() => {
    const changed = () => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  }, []);
  useEffect(() => {
    if (!isVisible) return;
    const ending = new AbortController();
    let timer: number | undefined;
    const follow = async () => {
      try {
        for await (const item of tally.watch<T>(log, view, question, { signal: ending.signal })) {
          if (ending.signal.aborted) return;
          latest.current.take(item);
        }
      } catch (error) {
        if (ending.signal.aborted) return;
        latest.current.failed(error);
        if (isLasting(error)) return;
      }
      if (!ending.signal.aborted) timer = window.setTimeout(() => void follow(), retryAfter);
    };
    void follow();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [tally, log, view, JSON.stringify(question), isVisible]);
}
