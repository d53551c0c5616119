import { useState } from "preact/hooks";
import type { Parameters } from "./question";

/** The parameters of a question, a name and a value to a row; an empty row is always there for the next. */
export function ParameterRows(props: { value: Parameters; onInput: (value: Parameters) => void }) {
  // Rows that have no name yet are of no use to the question, yet must stay while they are typed.
  const [rows, setRows] = useState<Parameters>(props.value);
  const said = JSON.stringify(rows.filter(([name]) => name !== ""));
  const shown = said === JSON.stringify(props.value) ? rows : props.value;
  const change = (at: number, name: string, value: string) => {
    const next = [...shown];
    next[at] = [name, value];
    const kept = next.filter(([name, value]) => name !== "" || value !== "");
    setRows(kept);
    props.onInput(kept);
  };
  return (
    <fieldset>
      <legend>Parameters</legend>
      {[...shown, ["", ""] as const].map(([name, value], at) => (
        <div key={at} class="parameter">
          <input
            aria-label={`Name of parameter ${at + 1}`}
            placeholder="name"
            value={name}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => change(at, event.currentTarget.value, value)}
          />
          <input
            aria-label={`Value of parameter ${at + 1}`}
            placeholder="value"
            value={value}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => change(at, name, event.currentTarget.value)}
          />
          <button
            type="button"
            class="small"
            aria-label={`Remove parameter ${at + 1}`}
            disabled={at === shown.length}
            onClick={() => change(at, "", "")}
          >
            ✕
          </button>
        </div>
      ))}
    </fieldset>
  );
}
