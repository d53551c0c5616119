import "../styles/event.css";
import type { StoredEvent } from "@tallystick/client";
import { useResource } from "../core/resource";
import { go, link } from "../core/route";
import { client, may } from "../core/session";
import { CopyButton } from "../ui/copy";
import { Facts, Page, Section } from "../ui/page";
import { Empty, Loaded, Needs } from "../ui/states";
import { Name, Time } from "../ui/values";
import { Content } from "./event/bytes";
import { canHash, checkHash, firstHash } from "./event/chain";
import { Counted } from "./event/counted";
import { Chain, type Evidence } from "./event/evidence";
import { Commands, shellWord } from "./log/append";

/** One event: what it says, how it was counted, and its place in the chain. */
export function EventPage(props: { log: string; sequence: number }) {
  const { log, sequence } = props;
  const known = Number.isSafeInteger(sequence) && sequence > 0;
  return (
    <Page
      title={known ? `Event ${sequence}` : "No such event"}
      crumbs={[
        { name: "Logs", href: link(["logs"]) },
        { name: log, href: link(["logs", log]) },
        { name: "Events", href: link(["logs", log, "events"], known ? { at: sequence } : {}) },
      ]}
      actions={<CopyButton text={location.href} label="Copy link" name="Copy link to this event" />}
    >
      <Needs scopes={["read"]}>
        {known ? <Event log={log} sequence={sequence} /> : <Empty title="Events have numbers: 1, 2, 3 and so on." />}
      </Needs>
    </Page>
  );
}

function Event(props: { log: string; sequence: number }) {
  const { log, sequence } = props;
  const allowed = may("read");
  const event = useResource(allowed ? (signal) => client.value.getEvent(log, sequence, { signal }) : undefined, [
    log,
    sequence,
  ]);
  const head = useResource(allowed ? (signal) => client.value.getLog(log, { signal }) : undefined, [log], {
    every: 5_000,
  });
  const { data } = event;
  const evidence = useResource<Evidence>(data && ((signal) => evidenceOf(log, data, signal)), [
    log,
    sequence,
    data?.hash,
  ]);
  const last = head.data?.sequence ?? 0;
  return (
    <>
      <Neighbours log={log} sequence={sequence} last={last} />
      <Loaded of={event} lines={16}>
        {(one) => (
          <>
            <div class="halves">
              <Section title="What it is">
                <Facts
                  rows={[
                    ["Type", one.type === undefined ? "none" : <Name key="type" of={one.type} mono />],
                    ["Key", one.key === undefined ? "none" : <Name key="key" of={one.key} mono />],
                    ["Happened", <Time key="time" at={one.time} />],
                    ["Recorded", <Time key="recorded" at={one.recorded_at} />],
                  ]}
                />
              </Section>
              <Chain log={log} event={one} evidence={evidence} />
            </div>
            <Counted log={log} sequence={sequence} />
            <Content log={log} event={one} />
            <Section title="The same elsewhere">
              <Commands
                path={["logs", log, "events", String(sequence)]}
                cli={`tally events show ${shellWord(log)} ${sequence}\ntally verify ${shellWord(log)}`}
              />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}

async function evidenceOf(log: string, event: StoredEvent, signal: AbortSignal): Promise<Evidence> {
  if (event.sequence > 1) {
    const { hash } = await client.value.getEvent(log, event.sequence - 1, { signal });
    return { before: hash, check: await checkHash(event, hash) };
  }
  const { log_id } = await client.value.getLog(log, { signal });
  if (!canHash()) return { before: "–", check: { state: "impossible" } };
  const hash = await firstHash(log_id);
  return { before: hash, check: await checkHash(event, hash) };
}

/** The events before and after, by links and by the keys that lead there. */
function Neighbours(props: { log: string; sequence: number; last: number }) {
  const { log, sequence, last } = props;
  const to = (n: number) => link(["logs", log, "events", String(n)]);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = sequence + ({ ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0);
    if (next !== sequence && next >= 1 && next <= last) go(["logs", log, "events", String(next)]);
  };
  return (
    <nav class="neighbours" aria-label="Events beside this one" onKeyDown={onKeyDown}>
      {sequence > 1 ? <a href={to(sequence - 1)}>← Event {sequence - 1}</a> : <span class="dim">The first event</span>}
      {sequence < last ? (
        <a href={to(sequence + 1)}>Event {sequence + 1} →</a>
      ) : (
        <span class="dim">{last > 0 ? "The latest event" : "\u00a0"}</span>
      )}
    </nav>
  );
}
