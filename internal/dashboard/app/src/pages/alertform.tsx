import { parseExact, stringifyExact, type Input, type Schemas } from "@tallystick/client";
import { useState } from "preact/hooks";
import { client } from "../core/session";
import { Field, Form, TextField, useAction } from "../ui/form";

const start = {
  logs: "customer-*",
  view: "usage",
  question: { window: "month" },
  value: "/total",
  of: 1000,
  thresholds: ["80%", "100%"],
  resolve: true,
};

/**
 * Puts an alert. Its definition is JSON, as it is everywhere else: what docs/alerts.md shows can be pasted. Numbers in it are sent digit by
 * digit.
 */
export function AlertForm(props: { of?: Schemas["AlertStatus"]; saved: (name: string) => void }) {
  const [name, setName] = useState(props.of?.name ?? "");
  const [text, setText] = useState(() => indented(props.of?.definition ?? start));
  const action = useAction(async () => {
    await client.value.putAlert(name.trim(), parseExact(text) as Input<"put-alert">);
    props.saved(name.trim());
  });
  return (
    <Form submit={props.of ? "Save" : "Make the alert"} action={action}>
      {!props.of && <TextField name="Name" value={name} onInput={setName} required placeholder="quota" />}
      <Field
        name="Definition"
        hint="Which logs and view, the question, where the value is in the answer, and the thresholds."
      >
        {(id) => (
          <textarea
            id={id}
            rows={14}
            value={text}
            spellcheck={false}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
    </Form>
  );
}

/** JSON with a member to a line; what JavaScript's numbers cannot hold stays as it is. */
function indented(value: unknown): string {
  return stringifyExact(value) === JSON.stringify(value) ? JSON.stringify(value, null, 2) : stringifyExact(value);
}
