import { useState } from "preact/hooks";
import { caller, client, type Scope } from "../core/session";
import { Dialog } from "../ui/dialog";
import { Form, TextField, useAction } from "../ui/form";
import { LimitFields, limitsOf, type LimitTexts } from "../ui/limits";

const scopes: [Scope, string][] = [
  ["append", "append events, and create logs for them"],
  ["read", "read logs and their events"],
  ["query", "query views, and follow their answers"],
  ["deploy", "deploy views, and end them"],
  ["admin", "keys, alerts, webhooks, the audit log"],
  ["operator", "tenants, all of them"],
];

/** Makes a key; its text is handed on, to be shown once. */
export function NewKey(props: { made: (key: string) => void }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<readonly Scope[]>([]);
  const [logs, setLogs] = useState("*");
  const [ends, setEnds] = useState("");
  const [limits, setLimits] = useState<LimitTexts>({});
  const action = useAction(async () => {
    const { key } = await client.value.createKey({
      name: name.trim(),
      scopes: [...chosen],
      logs: logs.trim(),
      limits: limitsOf(limits),
      ...(ends === "" ? {} : { expires_at: new Date(ends).toISOString() }),
    });
    setOpen(false);
    setName("");
    props.made(key);
  });
  const toggle = (scope: Scope) =>
    setChosen(chosen.includes(scope) ? chosen.filter((one) => one !== scope) : [...chosen, scope]);
  return (
    <p>
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        New key
      </button>
      {open && (
        <Dialog title="New key" onClose={() => setOpen(false)}>
          <Form submit="Make the key" action={action}>
            <TextField
              name="Name"
              value={name}
              onInput={setName}
              required
              placeholder="gateway-1"
              hint="It is recorded with what is done by the key."
            />
            <fieldset>
              <legend>It may</legend>
              {scopes
                .filter(([scope]) => scope !== "operator" || caller.value?.scopes.includes("operator"))
                .map(([scope, what]) => (
                  <label key={scope} class="check">
                    <input type="checkbox" checked={chosen.includes(scope)} onChange={() => toggle(scope)} />
                    <span>
                      <strong>{scope}</strong> <span class="dim">{what}</span>
                    </span>
                  </label>
                ))}
            </fieldset>
            <TextField
              name="Logs"
              value={logs}
              onInput={setLogs}
              hint="A pattern of names, such as customer-*; * for all."
            />
            <TextField name="Ends" type="datetime-local" value={ends} onInput={setEnds} hint="Never, when empty." />
            <LimitFields of="key" value={limits} onInput={setLimits} />
          </Form>
        </Dialog>
      )}
    </p>
  );
}
