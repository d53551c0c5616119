import type { StoredEvent } from "@tallystick/client";
import { useEffect, useState } from "preact/hooks";
import { link } from "../../core/route";
import { client } from "../../core/session";
import { useStream } from "../../core/stream";
import { useResource, type Resource } from "../../core/resource";
import { visible } from "../../ui/json";
import { Section } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { Name, Time } from "../../ui/values";

const most = 10; // events that are shown
const previewLength = 160; // characters of each

/** The latest events of a log, newest first: those that there are, then those that come. */
export function useRecent(log: string, head: number | undefined): Resource<readonly StoredEvent[]> {
  const started = head !== undefined;
  const before = useResource(
    started
      ? async (signal) => {
          const { sequence } = await client.value.getLog(log, { signal });
          const after = Math.max(0, sequence - most);
          const { events } = await client.value.listEvents(log, { after, limit: most, signal });
          return { sequence, events };
        }
      : undefined,
    [log, started],
  );
  const [later, setLater] = useState<readonly StoredEvent[]>([]);
  useEffect(() => setLater([]), [log, before.data]);
  const { data } = before;
  // What comes within one turn of the page is shown at once: the list holds few, whatever the rate.
  const last = later[0]?.sequence ?? data?.sequence ?? 0;
  useStream(
    data && ((signal) => client.value.tail(log, { after: last, signal })),
    (event) => setLater((all) => [event, ...all].slice(0, most)),
    [log, data !== undefined],
  );
  const events = data && [...later, ...data.events.toReversed()].slice(0, most);
  return { ...before, data: events };
}

/**
 * The latest events, in places that stay where they are: a new event moves the others on by a place. While somebody points at them, or has
 * the focus in them, they stay as they are.
 */
export function Recent(props: { log: string; of: Resource<readonly StoredEvent[]> }) {
  const { log, of } = props;
  const [held, setHeld] = useState<readonly StoredEvent[] | undefined>();
  const hold = () => setHeld((before) => before ?? of.data);
  const release = ({ currentTarget }: { currentTarget: HTMLElement }) => {
    if (!currentTarget.matches(":hover, :focus-within")) setHeld(undefined);
  };
  useEffect(() => setHeld(undefined), [log]);
  return (
    <Section
      title="Recent events"
      note={held && "as they were when you came to them"}
      actions={
        <a class="button small" href={link(["logs", log, "events"])}>
          All events
        </a>
      }
    >
      <Loaded of={held ? { ...of, data: held } : of} lines={most}>
        {(events) => (
          <ul
            class="recent"
            aria-label="Recent events"
            onPointerEnter={hold}
            onPointerLeave={release}
            onFocusIn={hold}
            onFocusOut={release}
          >
            {events.map((event, place) => (
              <li key={place}>
                <a class="num" href={link(["logs", log, "events", String(event.sequence)])}>
                  {event.sequence}
                </a>
                <Time at={event.recorded_at} />
                <span class="recent-type">
                  {event.type === undefined ? <span class="dim">no type</span> : <Name of={event.type} />}
                </span>
                <bdi class="mono recent-data" dir="ltr">
                  {visible(event.raw.slice(0, previewLength).replace(/\s+/g, " "))}
                </bdi>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}
