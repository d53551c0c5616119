import { TextField } from "../ui/form";

/** What a webhook may be told of today; a later server may have more. */
const known = [
  "alert.fired",
  "alert.resolved",
  "view.halted",
  "view.live",
  "key.expiring",
  "partition.default_not_empty",
] as const;

/** What a person says of a webhook. */
export interface WebhookTexts {
  url: string;
  description: string;
  logs: string;
  types: readonly string[];
}

/** The fields of a webhook, that is made or changed. */
export function WebhookFields(props: { value: WebhookTexts; onInput: (value: WebhookTexts) => void }) {
  const { value, onInput } = props;
  const toggle = (type: string) =>
    onInput({
      ...value,
      types: value.types.includes(type) ? value.types.filter((one) => one !== type) : [...value.types, type],
    });
  return (
    <>
      <TextField
        name="Address"
        type="url"
        value={value.url}
        onInput={(url) => onInput({ ...value, url })}
        required
        placeholder="https://billing.example.com/tallystick"
        hint="Where requests go: https, in the public internet, unless the server allows others."
      />
      <TextField
        name="Description"
        value={value.description}
        onInput={(description) => onInput({ ...value, description })}
      />
      <TextField
        name="Logs"
        value={value.logs}
        onInput={(logs) => onInput({ ...value, logs })}
        placeholder="*"
        hint="A pattern of names; all when empty."
      />
      <fieldset>
        <legend>It is told of</legend>
        <p class="hint">Everything, when none is marked.</p>
        {[...new Set([...known, ...value.types])].map((type) => (
          <label key={type} class="check">
            <input type="checkbox" checked={value.types.includes(type)} onChange={() => toggle(type)} />
            <code>{type}</code>
          </label>
        ))}
      </fieldset>
    </>
  );
}
