import type { TallyError } from "@tallystick/client";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { asTallyError } from "../../core/resource";
import { go, link, refine } from "../../core/route";
import { client, noticeFailure } from "../../core/session";
import { useStream } from "../../core/stream";
import { Empty, Problem } from "../../ui/states";
import { Num } from "../../ui/values";
import { HowToAppend } from "../log/append";
import { Feed, mostKept } from "./feed";
import { filterOf, isOpen, isSparse, type Filter } from "./filter";
import { Filters } from "./filters";
import { EventList } from "./list";
import { Bar } from "./bar";

const around = 50; // events shown beyond the one that is gone to
const mostTypes = 50; // that the field for the type suggests
const nearHead = 1_000; // events before the log's end, from which on the tail is faster than pages
const moving = 400; // ms without a key, after which the selected event is in the address: browsers allow few changes of it

/** The events that a filter lets through, those that come too. */
export function Explorer(props: { log: string; head: number; query: Readonly<Record<string, string>> }) {
  const { log, head, query } = props;
  const filter = filterOf(query);
  const place = usePlace(log, filter, head);
  const { feed, selected } = place;
  const [paused, setPaused] = useState(false);
  const [follows, setFollows] = useState(true);
  const steps = useSteps(feed, head);
  const changes = feed.version.value; // what was read of the feed is old with each

  // Once near the end, the tail alone moves it: a head that is ahead of the tail is no reason to stop.
  const isOpenEnded = isOpen(filter);
  const followed = useRef<Feed | undefined>(undefined);
  if (isOpenEnded && !paused && !steps.searching && head - feed.high <= nearHead) followed.current = feed;
  const live = isOpenEnded && !paused && followed.current === feed;
  feed.tailed = live;
  const tail = useStream(
    live ? (signal) => client.value.tail(log, { after: feed.high, type: filter.type || undefined, signal }) : undefined,
    (event) => feed.take(event),
    [feed, live],
  );
  // Who looks at older events keeps them: the page holds no more than so many.
  useEffect(() => {
    if (live && !follows && feed.rows.length >= mostKept) setPaused(true);
  });

  const newest = () => {
    setPaused(false);
    place.restart();
  };
  const types = useMemo(() => typesOf(feed), [feed, changes >> 5, filter.type]);
  if (head === 0 && feed.rows.length === 0) {
    return (
      <Empty title="The log has no events yet.">
        <HowToAppend log={log} />
      </Empty>
    );
  }
  const isDone = filter.newestFirst ? feed.oldestReached : feed.newestReached(head);
  const onNear = (end: "first" | "last") => {
    if (filter.text !== "") return;
    const side = (end === "first") === filter.newestFirst ? "newer" : "older";
    if (side === "older" || !live) steps.more(side);
  };
  return (
    <>
      <Filters types={types} />
      <div class="events-frame">
        <Bar
          feed={feed}
          head={head}
          live={live}
          paused={paused}
          open={isOpenEnded}
          follows={follows}
          exact={!isSparse(filter) && filter.text === ""}
          onPause={() => setPaused(true)}
          onResume={() => setPaused(false)}
          onNewest={newest}
        />
        {(steps.error ?? tail.error) && (
          <Problem error={(steps.error ?? tail.error) as TallyError} retry={steps.error && steps.retry} />
        )}
        <EventList
          key={feed.id}
          log={log}
          rows={feed.rows}
          newestFirst={filter.newestFirst}
          live={live}
          selected={selected}
          text={filter.text}
          onSelect={place.select}
          onOpen={(sequence) => {
            refine({ at: sequence }); // where "back" leads to
            go(["logs", log, "events", String(sequence)]);
          }}
          onPlace={(place) => setFollows(place.follows)}
          onNear={onNear}
        >
          {feed.rows.length === 0 && !steps.busy && (
            <p class="events-none">{isDone ? "No event matches." : "No event matches so far."}</p>
          )}
        </EventList>
        <Searched feed={feed} head={head} filter={filter} steps={steps} />
      </div>
    </>
  );
}

/**
 * The feed of a filter, and the event that is selected. Both are in the address; one that is selected there, and not by the keyboard, begins
 * a feed around it.
 */
function usePlace(log: string, filter: Filter, head: number) {
  const [again, setAgain] = useState(0);
  const [selected, setSelected] = useState(filter.at);
  const shown = useRef<{ key: string; feed: Feed; at: number | undefined } | undefined>(undefined);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const key = JSON.stringify([log, { ...filter, at: undefined }, again]);
  const before = shown.current;
  const moved = filter.at !== undefined && filter.at !== before?.at;
  if (before?.key !== key || moved) {
    window.clearTimeout(timer.current);
    shown.current = { key, feed: new Feed(log, filter, startOf(filter, head)), at: filter.at };
  }
  const { feed } = shown.current as { feed: Feed };
  useLayoutEffect(() => setSelected(filter.at), [feed]);
  const select = (sequence: number | undefined) => {
    setSelected(sequence);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      if (shown.current) shown.current.at = sequence;
      refine({ at: sequence });
    }, moving);
  };
  const restart = () => {
    refine({ at: undefined });
    setAgain(again + 1);
  };
  return { feed, selected, select, restart };
}

/** The sequence after which a feed begins: at an end, or around the event that was gone to. */
function startOf(filter: Filter, head: number): number {
  const end = Math.min(head, filter.to);
  if (filter.at !== undefined) return Math.min(end, filter.at + around);
  return filter.newestFirst ? end : Math.min(end, filter.from - 1);
}

function typesOf(feed: Feed): string[] {
  return [...new Set(feed.rows.slice(-1000).map((row) => row.type))].filter(Boolean).slice(0, mostTypes);
}

interface Steps {
  busy: boolean;
  /** Busy with newer events: the tail waits for that. */
  searching: boolean;
  error: TallyError | undefined;
  more: (side: "older" | "newer") => void;
  retry: () => void;
}

/** Has a feed look further, a step at a time; its first step by itself. */
function useSteps(feed: Feed, head: number): Steps {
  const first = feed.filter.newestFirst || feed.filter.at !== undefined ? "older" : "newer";
  const [state, setState] = useState<{ feed?: Feed; side?: string; busy: boolean; error: TallyError | undefined }>({
    busy: true,
    error: undefined,
  });
  const work = useRef({
    feed: undefined as Feed | undefined,
    ending: new AbortController(),
    busy: false,
    failed: false,
  });
  const run = async (side: "older" | "newer", ending: AbortController) => {
    work.current.busy = true;
    setState({ feed, side, busy: true, error: undefined });
    let error: TallyError | undefined;
    try {
      if (side === "older") await feed.older(client.value, ending.signal);
      else await feed.newer(client.value, head, ending.signal);
    } catch (caught) {
      if (!ending.signal.aborted) {
        noticeFailure(caught);
        error = asTallyError(caught);
      }
    }
    if (ending.signal.aborted) return;
    Object.assign(work.current, { busy: false, failed: error !== undefined });
    setState({ feed, busy: false, error });
  };
  useEffect(() => {
    const ending = new AbortController();
    work.current = { feed, ending, busy: false, failed: false };
    void run(first, ending);
    return () => ending.abort();
  }, [feed]);
  const can = (side: "older" | "newer") => (side === "older" ? !feed.oldestReached : !feed.newestReached(head));
  return {
    busy: state.feed !== feed || state.busy,
    searching: state.feed === feed ? state.busy && state.side === "newer" : first === "newer",
    error: state.error,
    more: (side) => {
      const { busy, failed, ending } = work.current;
      if (work.current.feed === feed && !busy && !failed && can(side)) void run(side, ending);
    },
    retry: () => void run(can(first) ? first : "newer", work.current.ending),
  };
}

/** How far the page has looked, and a button to look further where it does not do so by itself. */
function Searched(props: { feed: Feed; head: number; filter: Filter; steps: Steps }) {
  const { feed, head, filter, steps } = props;
  const side = filter.newestFirst ? "older" : "newer";
  const done = side === "older" ? feed.oldestReached : feed.newestReached(head);
  const none = feed.high < feed.low;
  return (
    <div class="events-foot" role="status">
      <span>
        {none ? (
          "Looking …"
        ) : (
          <>
            {filter.text === "" ? "Looked at" : "Searched"} <Num of={feed.low} /> to <Num of={feed.high} />
            {steps.busy ? " …" : done && (side === "older" ? ", the first" : ", the last")}:{" "}
            <Num of={feed.rows.length} /> {feed.rows.length === 1 ? "event" : "events"}
            {feed.rows.length >= mostKept && ", as many as this page keeps; scroll for the others"}
          </>
        )}
      </span>
      {filter.text !== "" && !done && (
        <button type="button" class="small" aria-disabled={steps.busy} onClick={() => steps.more(side)}>
          Search on
        </button>
      )}
      <a class="events-link" href={link(["logs", props.feed.log, "verify"])}>
        Verify the log
      </a>
    </div>
  );
}
