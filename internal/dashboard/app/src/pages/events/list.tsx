import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { bytes, when, zone } from "../../core/format";
import { link } from "../../core/route";
import { Name } from "../../ui/values";
import type { Row } from "./row";

// As in events.css. On narrow screens a row has two lines.
const narrow = matchMedia("(max-width: 40rem)");
const rowHeight = signal(0);
const measure = () => (rowHeight.value = narrow.matches ? 54 : 34);
narrow.addEventListener("change", measure);
measure();

const spare = 10; // rows that are drawn above and below what is seen
const near = 30; // rows from the end of the list at which more is asked for

/** Where the list is. */
export interface Place {
  /** Whether the end where new events come is in sight, and nothing is selected: then they are followed. */
  follows: boolean;
}

/**
 * The rows of events, of which only those in sight are drawn. What is in sight stays where it is when rows come or go around it. Arrows,
 * Page Up and Down, Home and End select, Enter opens, and Escape selects nothing.
 */
export function EventList(props: {
  log: string;
  rows: readonly Row[];
  newestFirst: boolean;
  /** Whether new events come. */
  live: boolean;
  selected: number | undefined;
  onSelect: (sequence: number | undefined) => void;
  onOpen: (sequence: number) => void;
  onPlace: (place: Place) => void;
  /** Asks for rows beyond the first or the last of them. */
  onNear: (end: "first" | "last") => void;
  text: string;
  children: ComponentChildren;
}) {
  const { rows, newestFirst, selected, text } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);
  const anchor = useRef<{ sequence: number; offset: number } | undefined>(undefined);
  const follows = useRef(false);
  const centred = useRef(false);
  const tall = rowHeight.value;
  const at = (i: number) => rows[newestFirst ? rows.length - 1 - i : i];
  const placeOf = (sequence: number) => {
    const i = indexOf(rows, sequence);
    return newestFirst ? rows.length - 1 - i : i;
  };

  const look = () => {
    const element = box.current;
    if (!element) return;
    const { scrollTop, clientHeight, scrollHeight } = element;
    setTop(scrollTop);
    const first = at(Math.floor(scrollTop / tall));
    anchor.current = first && { sequence: first.sequence, offset: scrollTop % tall };
    const atEnd = newestFirst ? scrollTop < 2 : scrollTop + clientHeight > scrollHeight - 2;
    follows.current = props.live && atEnd && selected === undefined;
    props.onPlace({ follows: follows.current });
    if (scrollTop < near * tall) props.onNear("first");
    if (scrollTop + clientHeight > scrollHeight - near * tall) props.onNear("last");
  };
  const latest = useRef(look);
  latest.current = look;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const resized = new ResizeObserver(() => {
      setHeight(element.clientHeight);
      latest.current();
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  // Before it is painted, so that nothing is seen to move.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (follows.current) element.scrollTop = newestFirst ? 0 : element.scrollHeight;
    else if (anchor.current) {
      element.scrollTop = Math.max(0, placeOf(anchor.current.sequence)) * tall + anchor.current.offset;
    }
    look();
  }, [rows, tall]);

  // A row that is selected comes into sight: from above or below just so, from a link to the middle.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || selected === undefined || rows.length === 0) return look();
    const from = placeOf(selected) * tall;
    const { scrollTop, clientHeight } = element;
    if (!centred.current) element.scrollTop = from - clientHeight / 2;
    else if (from < scrollTop) element.scrollTop = from;
    else if (from + tall > scrollTop + clientHeight) element.scrollTop = from + tall - clientHeight;
    centred.current = true;
    look();
  }, [selected, rows.length > 0]);

  const select = (i: number) => props.onSelect(at(Math.max(0, Math.min(rows.length - 1, i)))?.sequence);
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / tall) - 1);
    const current = selected === undefined ? -1 : placeOf(selected);
    const keys: Record<string, () => void> = {
      ArrowDown: () => select(current + 1),
      ArrowUp: () => select(current - 1),
      PageDown: () => select(current + page),
      PageUp: () => select(current - page),
      Home: () => select(0),
      End: () => select(rows.length - 1),
      Escape: () => props.onSelect(undefined),
      Enter: () => selected !== undefined && props.onOpen(selected),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };

  const first = Math.max(0, Math.floor(top / tall) - spare);
  const last = Math.min(rows.length, Math.ceil((top + height) / tall) + spare);
  const drawn = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  const selectedIsDrawn = selected !== undefined && drawn.some((i) => at(i)?.sequence === selected);
  return (
    <div class="events" role="grid" aria-label={`Events of ${props.log}`} aria-rowcount={rows.length + 1}>
      <div class="events-head" role="row" aria-rowindex={1}>
        {["Sequence", "Recorded", "Type", "Event", "Size"].map((name) => (
          <span key={name} role="columnheader">
            {name}
          </span>
        ))}
      </div>
      <div
        ref={box}
        class="events-body"
        role="rowgroup"
        tabIndex={0}
        aria-label="Rows: arrows select, Enter opens"
        aria-activedescendant={selectedIsDrawn ? `event-${selected}` : undefined}
        onScroll={look}
        onKeyDown={onKeyDown}
      >
        <div class="events-all" role="none" style={{ height: `${rows.length * tall}px` }}>
          {drawn.map((i) => {
            const row = at(i);
            return (
              row && (
                <Line
                  key={row.sequence}
                  log={props.log}
                  row={row}
                  index={i}
                  top={i * tall}
                  selected={row.sequence === selected}
                  length={text.length}
                  onOpen={props.onOpen}
                />
              )
            );
          })}
        </div>
        {props.children}
      </div>
    </div>
  );
}

function Line(props: {
  log: string;
  row: Row;
  index: number;
  top: number;
  selected: boolean;
  length: number;
  onOpen: (sequence: number) => void;
}) {
  const { row } = props;
  return (
    <div
      id={`event-${row.sequence}`}
      class="events-row"
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={props.selected}
      style={{ transform: `translateY(${props.top}px)` }}
      onClick={(event) => {
        if (!(event.target instanceof HTMLAnchorElement) && getSelection()?.isCollapsed) props.onOpen(row.sequence);
      }}
    >
      <span role="gridcell" class="events-sequence">
        <a href={link(["logs", props.log, "events", String(row.sequence)])} tabIndex={-1}>
          {row.sequence}
        </a>
      </span>
      <time role="gridcell" dateTime={row.recordedAt} title={`${row.recordedAt} (shown in ${zone})`}>
        {when(row.recordedAt)}
      </time>
      <span role="gridcell" class="events-type" title={row.type}>
        {row.type === "" ? <span class="dim">no type</span> : <Name of={row.type} />}
      </span>
      <bdi role="gridcell" class="events-data" dir="ltr">
        <Matched text={row.preview} from={row.match} length={props.length} />
      </bdi>
      <span role="gridcell" class="events-size">
        {bytes(row.size)}
      </span>
    </div>
  );
}

/** A text with the part of it marked that was searched for. */
function Matched(props: { text: string; from: number; length: number }) {
  const { text, from, length } = props;
  if (from < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, from)}
      <mark>{text.slice(from, from + length)}</mark>
      {text.slice(from + length)}
    </>
  );
}

/** The place of an event among rows that rise by sequence; of the next one where it is not there. */
function indexOf(rows: readonly Row[], sequence: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.sequence ?? 0) < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
