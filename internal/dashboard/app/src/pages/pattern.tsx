import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { go, link } from "../core/route";
import { useResource } from "../core/resource";
import { client, may } from "../core/session";
import { Confirm } from "../ui/dialog";
import { Json } from "../ui/json";
import { Facts, Figure, Page, Section } from "../ui/page";
import { Loaded, Needs } from "../ui/states";
import { Name, Num, Progress, Status, Time } from "../ui/values";
import { What } from "./view/what";
import "../styles/views.css";

type Pattern = Schemas["ViewPattern"];

/** One view that is deployed on a pattern of logs: how far it has spread, and what it is. */
export function PatternPage(props: { view: string }) {
  const { view } = props;
  const pattern = useResource(
    may("deploy") ? (signal) => client.value.getViewPattern(view, { signal }) : undefined,
    [view],
    { every: 1_500 },
  );
  const one = pattern.data;
  return (
    <Page
      title={view}
      crumbs={[
        { name: "Views", href: link(["views"]) },
        { name: "On patterns", href: link(["views"], { part: "patterns" }) },
      ]}
      actions={
        one &&
        may("deploy") && (
          <>
            <a class="button" href={link(["deploy"], { view, again: 1 })}>
              Deploy a new version
            </a>
            <Retire of={one} />
          </>
        )
      }
    >
      <Needs scopes={["deploy"]}>
        <Loaded of={pattern} lines={12}>
          {(found) => (
            <>
              <p class="row">
                <Status of={found.status} />
                {found.spreading && <Status of="building">spreading</Status>}
                <span>
                  on logs <Name of={found.logs} mono />
                </span>
              </p>
              {found.covers && <Coverage view={view} of={found.covers} />}
              <div class="halves">
                <Section title="What it is">
                  <Facts
                    rows={[
                      ["Module", <What of={found} />],
                      ["Version", <Num of={found.version} />],
                      ["Gas for an event", <Num of={found.gas} />],
                      [
                        "Guard",
                        found.guard ? `yes; while it is halted, appends are ${admission(found.on_halt)}` : "none",
                      ],
                      ["Deployed", <Time at={found.deployed_at} />],
                      ["Deployed by", <bdi>{found.actor ?? "nobody said"}</bdi>],
                      ["First deployed", <Time at={found.created_at} />],
                    ]}
                  />
                </Section>
                <Section title="Configuration">
                  <Json name="Configuration" value={found.config} />
                </Section>
              </div>
            </>
          )}
        </Loaded>
      </Needs>
    </Page>
  );
}

function admission(onHalt: string | undefined): string {
  return onHalt === "refuse" ? "refused" : "admitted without it";
}

function Coverage(props: { view: string; of: NonNullable<Pattern["covers"]> }) {
  const { of } = props;
  const states = (status: string) => link(["views"], { status, view: props.view });
  return (
    <Section title="How far it has spread">
      <Progress name="Events folded" of={of.progress.total > 0 ? of.progress.done / of.progress.total : 1}>
        <Num of={of.progress.done} /> of <Num of={of.progress.total} unit="events" />
      </Progress>
      <dl class="figures">
        <Figure name="Logs that match">
          <Num of={of.matching} />
        </Figure>
        <Figure name="Live" note={of.live > 0 && <a href={states("live")}>which</a>}>
          <Num of={of.live} />
        </Figure>
        <Figure name="Building" note={of.building > 0 && <a href={states("building")}>which</a>}>
          <Num of={of.building} />
        </Figure>
        <Figure name="Halted" note={of.halted > 0 && <a href={states("halted")}>which</a>} {...bad(of.halted)}>
          <Num of={of.halted} />
        </Figure>
        <Figure name="Waiting" note="for the newest version">
          <Num of={of.waiting} />
        </Figure>
        <Figure name="Retired" note="on the log itself">
          <Num of={of.retired} />
        </Figure>
        <Figure name="Own" note="deployed on the log by itself">
          <Num of={of.own} />
        </Figure>
        <Figure name="Full" note="no room for another view" {...bad(of.full)}>
          <Num of={of.full} />
        </Figure>
      </dl>
    </Section>
  );
}

function bad(count: number): { tone?: "bad" } {
  return count > 0 ? { tone: "bad" } : {};
}

function Retire(props: { of: Pattern }) {
  const { name, logs } = props.of;
  const [keep, setKeep] = useState(false);
  return (
    <Confirm
      name="Retire"
      question={`Retire ${name} on ${logs}`}
      typed={name}
      run={async () => {
        await client.value.retireViewPattern(name, keep ? { keep } : {});
        go(["views"], { part: "patterns" });
      }}
    >
      <p>Later logs no longer get the view. What was deployed on a log by itself stays.</p>
      <label class="check">
        <input type="checkbox" checked={keep} onInput={(event) => setKeep(event.currentTarget.checked)} />
        Leave it on the logs that have it
      </label>
      {!keep && (
        <p>On the logs that have it from the pattern it folds and answers no more, until it is deployed again.</p>
      )}
    </Confirm>
  );
}
