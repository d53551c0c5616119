import type { StoredEvent } from "@tallystick/client";
import type { Resource } from "../../core/resource";
import { link } from "../../core/route";
import { Facts, Section } from "../../ui/page";
import { Loaded } from "../../ui/states";
import { Status } from "../../ui/values";
import type { Check } from "./chain";

/** The event's place in the chain, and what the page has computed of it. */
export interface Evidence {
  before: string;
  check: Check;
}

/** The hash before, the event's own, and whether the page's own computing of it agrees. */
export function Chain(props: { log: string; event: StoredEvent; evidence: Resource<Evidence> }) {
  const { log, event, evidence } = props;
  const { sequence } = event;
  return (
    <Section title="Evidence" note="SHA-256 over the hash before, and over what the event is.">
      <Loaded of={evidence} lines={3}>
        {({ before, check }) => (
          <>
            <Facts
              rows={[
                [
                  sequence > 1 ? "Hash before" : "Hash of the empty log",
                  <span key="before">
                    <code class="whole-hash">{before}</code>{" "}
                    {sequence > 1 && (
                      <a href={link(["logs", log, "events", String(sequence - 1)])}>event {sequence - 1}</a>
                    )}
                  </span>,
                ],
                [
                  "Its hash",
                  <code key="own" class="whole-hash">
                    {event.hash}
                  </code>,
                ],
                ["Computed here", <Computed key="computed" check={check} />],
              ]}
            />
            {check.state === "differs" && (
              <p class="problem" role="alert">
                <strong>The event, or the hash before it, is not what was recorded.</strong>
                <span>
                  This page computed <code class="whole-hash">{check.computed}</code>. Verify the log: that says where
                  its chain breaks.
                </span>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Computed(props: { check: Check }) {
  switch (props.check.state) {
    case "matches":
      return <Status of="ok">The same, from the event’s bytes</Status>;
    case "differs":
      return <Status of="failed">Another one</Status>;
    case "impossible":
      return (
        <span class="dim">
          not: browsers compute hashes only on pages with TLS, or of this machine. The command below checks the whole
          log.
        </span>
      );
  }
}
