import type { Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { client } from "../core/session";
import { Form, TextField, useAction } from "../ui/form";
import { Facts, Section } from "../ui/page";
import { Name, Num, Status } from "../ui/values";

/** What an alert would find on a log now; nothing is recorded, and nobody is told. */
export function AlertTest(props: { alert: string }) {
  const [log, setLog] = useState("");
  const [found, setFound] = useState<Schemas["AlertTest"] | undefined>();
  const action = useAction(async () => {
    setFound(await client.value.testAlert(props.alert, { log: log.trim() }));
  });
  return (
    <Section title="Try it" note="records nothing, tells nobody">
      <Form submit="Try" action={action}>
        <TextField name="Log" value={log} onInput={setLog} required />
      </Form>
      <div aria-live="polite">{found && <Result of={found} />}</div>
    </Section>
  );
}

function Result(props: { of: Schemas["AlertTest"] }) {
  const { error, value, of, query, window, thresholds } = props.of;
  return (
    <Facts
      rows={[
        ["Value", error !== undefined ? <Name of={`none: ${error}`} /> : <Num of={value} />],
        ["Of", <Num of={of} />],
        ["Window", <Name of={window ?? "all of time"} />],
        ["Question", <Name of={query} mono />],
        ...thresholds.map(
          (one) =>
            [
              one.threshold,
              <Status of={one.reached ? "firing" : "ok"}>{one.reached ? "reached" : "not reached"}</Status>,
            ] as [string, preact.ComponentChild],
        ),
      ]}
    />
  );
}
