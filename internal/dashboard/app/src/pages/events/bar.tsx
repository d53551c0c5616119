import { useEffect, useRef, useState } from "preact/hooks";
import { rounded } from "../../core/format";
import { CopyButton } from "../../ui/copy";
import { Num, Status } from "../../ui/values";
import type { Feed } from "./feed";

const many = 1_000; // events that wait, beyond which they may be left out

/** Whether the list follows the log, how fast, what waits, and the buttons for it. */
export function Bar(props: {
  feed: Feed;
  head: number;
  live: boolean;
  paused: boolean;
  open: boolean;
  follows: boolean;
  /** Whether every event of the log is shown, so that those that wait can be counted. */
  exact: boolean;
  onPause: () => void;
  onResume: () => void;
  onNewest: () => void;
}) {
  const { feed, head, live, paused } = props;
  const rate = useRate(feed, live);
  const waiting = Math.max(0, head - feed.high);
  return (
    <div class="events-bar">
      <span role="status">
        {!props.open ? (
          <Status of="range">A range that is closed</Status>
        ) : live ? (
          <Status of="live">Live</Status>
        ) : paused ? (
          <Status of="paused">Paused</Status>
        ) : (
          <Status of="earlier">Earlier events</Status>
        )}
      </span>
      <span class="events-rate num">
        {live && `${rounded(rate)} events/s`}
        {paused && (
          <>
            {!props.exact && waiting > 0 && "up to "}
            <Num of={waiting} /> {waiting === 1 ? "waits" : "wait"} after <Num of={feed.high} />
          </>
        )}
      </span>
      <span class="events-buttons">
        {props.open && live && !props.follows && (
          <button type="button" class="small" onClick={props.onNewest}>
            To the newest
          </button>
        )}
        {props.open && live && (
          <button type="button" class="small" onClick={props.onPause}>
            Pause
          </button>
        )}
        {paused && (
          <button type="button" class="small primary" onClick={props.onResume}>
            Resume
          </button>
        )}
        {props.open && !live && (!paused || waiting > many) && (
          <button type="button" class="small" onClick={props.onNewest}>
            To the newest
          </button>
        )}
        <CopyButton text={location.href} label="Copy link" name="Copy link to what is shown" />
      </span>
    </div>
  );
}

/** Events a second that the feed has received, over the last seconds. */
function useRate(feed: Feed, live: boolean): number {
  const [rate, setRate] = useState(0);
  const marks = useRef<[time: number, count: number][]>([]);
  useEffect(() => {
    marks.current = [[performance.now(), feed.received]];
    setRate(0);
    if (!live) return;
    const timer = window.setInterval(() => {
      marks.current.push([performance.now(), feed.received]);
      if (marks.current.length > 5) marks.current.shift();
      const [since, before] = marks.current[0] ?? [0, 0];
      const seconds = (performance.now() - since) / 1000;
      setRate(seconds > 0 ? (feed.received - before) / seconds : 0);
    }, 1000);
    return () => window.clearInterval(timer);
  }, [feed, live]);
  return rate;
}
