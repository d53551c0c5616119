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

export function Recent(props: { log: string; of: Resource<readonly StoredEvent[]> }) {
  const { log } = props;
  return (
    <Section
      title="Recent events"
      actions={
        <a class="button small" href={link(["logs", log, "events"])}>
          All events
        </a>
      }
    >
      <Loaded of={props.of} lines={most}>
        {(events) => (
          <ul class="recent" aria-label="Recent events">
            {events.map((event) => (
              <li key={event.sequence}>
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
