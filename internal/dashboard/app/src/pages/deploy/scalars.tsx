import { parseExact, stringifyExact } from "@tallystick/client";
import { visible } from "../../ui/json";
import { readConfig, pretty } from "./config";
import { useDraft, useValidity } from "./draft";
import type { Shape } from "./schema";

/** What every control of a value takes. */
export interface Control {
  id: string;
  /** Where it is in the configuration, for screen readers: `limits 1 name`. */
  label: string;
  describedBy: string | undefined;
  /** Whether something speaks against the value; what describes it says what. */
  invalid: boolean;
  value: unknown;
  /** Whether an empty field stands for no value. */
  optional: boolean;
  /** What the view takes without a value. */
  fallback: string;
  /** `undefined` takes the value out. */
  onChange: (value: unknown) => void;
}

export function TextControl(props: Control) {
  const text = typeof props.value === "string" ? props.value : "";
  const common = {
    id: props.id,
    "aria-label": props.label,
    "aria-describedby": props.describedBy,
    "aria-invalid": props.invalid,
    placeholder: props.fallback,
    value: text,
    spellcheck: false,
    dir: "auto" as const,
    onInput: (event: { currentTarget: { value: string } }) => {
      const typed = event.currentTarget.value;
      props.onChange(typed === "" && props.optional ? undefined : typed);
    },
  };
  // A line break would be lost in a field of one line.
  return text.includes("\n") ? <textarea {...common} rows={4} /> : <input {...common} type="text" autocomplete="off" />;
}

export function NumberControl(props: Control & { whole: boolean }) {
  const [draft, keep] = useDraft(props.value, (value) => (value === undefined ? "" : stringifyExact(value)));
  const missing = draft.trim() === "";
  const typed = numberOf(draft, props.whole);
  const bad = missing ? !props.optional : typed === undefined;
  const problem = bad ? `${props.whole ? "A whole number" : "A number"} belongs here.` : undefined;
  const field = useValidity<HTMLInputElement>(problem);
  return (
    <>
      <input
        ref={field}
        id={props.id}
        aria-label={props.label}
        aria-describedby={props.describedBy}
        aria-invalid={bad || props.invalid}
        type="text"
        inputMode={props.whole ? "numeric" : "decimal"}
        autocomplete="off"
        placeholder={props.fallback}
        value={draft}
        onInput={(event) => {
          const text = event.currentTarget.value;
          const next = text.trim() === "" && props.optional ? undefined : (numberOf(text, props.whole) ?? props.value);
          keep(text, next);
          if (next !== props.value) props.onChange(next);
        }}
      />
      {bad && <p class="config-doubt">{problem}</p>}
    </>
  );
}

function numberOf(text: string, whole: boolean): unknown {
  try {
    const value = parseExact(text.trim());
    const isNumber = typeof value === "number" || typeof value === "bigint";
    if (whole) return isNumber && !/[.eE]/.test(text) ? value : undefined;
    return isNumber || /^-?\d/.test(text.trim()) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** One of several values, yes and no among them. */
export function SelectControl(props: Control & { values: readonly unknown[] }) {
  const chosen = props.values.findIndex((one) => stringifyExact(one) === stringifyExact(props.value ?? null));
  const absent = props.value === undefined;
  return (
    <select
      id={props.id}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      aria-invalid={props.invalid}
      value={absent ? "" : String(chosen)}
      onInput={(event) => {
        const at = event.currentTarget.value;
        props.onChange(at === "" ? undefined : props.values[Number(at)]);
      }}
    >
      {(props.optional || absent) && (
        <option value="">{props.fallback === "" ? "not set" : `not set: ${props.fallback}`}</option>
      )}
      {props.values.map((one, i) => (
        <option key={i} value={String(i)}>
          {wordOf(one)}
        </option>
      ))}
    </select>
  );
}

function wordOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? visible(value) : stringifyExact(value);
}

/** What no other control can show, as its JSON. */
export function JsonControl(props: Control) {
  const [draft, keep] = useDraft(props.value, (value) => (value === undefined ? "" : pretty(value)));
  const missing = draft.trim() === "";
  const read = readConfig(draft);
  const problem = missing ? (props.optional ? undefined : "JSON belongs here.") : read.problem;
  const field = useValidity<HTMLTextAreaElement>(problem === undefined ? undefined : "This is no JSON yet.");
  return (
    <>
      <textarea
        ref={field}
        id={props.id}
        class="config-json"
        aria-label={`${props.label}, as JSON`}
        aria-describedby={props.describedBy}
        aria-invalid={problem !== undefined || props.invalid}
        rows={Math.min(10, Math.max(2, draft.split("\n").length))}
        spellcheck={false}
        placeholder={props.fallback}
        value={draft}
        onInput={(event) => {
          const text = event.currentTarget.value;
          const now = readConfig(text);
          const next = text.trim() === "" ? undefined : now.problem === undefined ? now.value : props.value;
          keep(text, next);
          if (next !== props.value) props.onChange(next);
        }}
      />
      {problem !== undefined && <p class="config-doubt">{problem}</p>}
    </>
  );
}

/** The control of a value that has no parts. */
export function ScalarControl(props: Control & { shape: Shape }) {
  const { shape } = props;
  switch (shape.kind) {
    case "string":
      return <TextControl {...props} />;
    case "number":
    case "integer":
      return <NumberControl {...props} whole={shape.kind === "integer"} />;
    case "boolean":
      return <SelectControl {...props} values={[true, false]} />;
    case "null":
      return <SelectControl {...props} values={[null]} />;
    case "enum":
      return <SelectControl {...props} values={shape.values} />;
    default:
      return <JsonControl {...props} />;
  }
}
