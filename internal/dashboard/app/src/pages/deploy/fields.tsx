import { stringifyExact } from "@tallystick/client";
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { visible } from "../../ui/json";
import { ChoiceField } from "./choice";
import { ListField, ObjectField } from "./groups";
import { ScalarControl } from "./scalars";
import { useRefusal } from "./refusals";
import { own, type Schema, type SchemaReader } from "./schema";

/** A value of a configuration, with the schema that describes it. */
export interface FieldProps {
  reader: SchemaReader;
  schema: Schema;
  /** `undefined` where it is absent. */
  value: unknown;
  /** `undefined` takes it out. */
  onChange: (value: unknown) => void;
  name: string;
  /** The names of what it is in. */
  path: readonly string[];
  /** Where it is in the configuration: a JSON Pointer. */
  at: string;
  required: boolean;
  /** Whether a button takes it out; else an empty field does. */
  removable: boolean;
  /** What stands beside the name of what has parts. */
  tools?: ComponentChildren;
}

/** The field of a value, with the fields of its parts. */
export function SchemaField(props: FieldProps) {
  const { reader, schema, value, path } = props;
  const depth = path.length;
  const shape = value === undefined || reader.shows(schema, value, depth) ? reader.shape(schema, depth) : jsonShape;
  switch (shape.kind) {
    case "object":
      return <ObjectField {...props} shape={shape} />;
    case "array":
      return <ListField {...props} shape={shape} />;
    case "choice":
      return <ChoiceField {...props} branches={shape.branches} />;
    default:
      return <Labelled {...props}>{(control) => <ScalarControl {...control} shape={shape} />}</Labelled>;
  }
}

const jsonShape = { kind: "json" } as const;

/** A label with its control, what the schema says of it, and what speaks against its value. */
export function Labelled(
  props: FieldProps & { children: (control: Parameters<typeof ScalarControl>[0] & object) => ComponentChildren },
) {
  const { reader, schema, value } = props;
  const id = useId();
  const hint = reader.text(schema, "description");
  const refusal = useRefusal(props.at, value);
  const doubt = (value === undefined ? "" : reader.doubt(schema, value)) || refusal; // in words for people, if there are
  const control = {
    id,
    label: labelOf(props),
    describedBy: hint === "" && doubt === "" ? undefined : `${id}-hint`,
    invalid: doubt !== "",
    value,
    optional: !props.required && !props.removable,
    fallback: fallbackOf(reader, schema),
    onChange: props.onChange,
    shape: jsonShape,
  };
  return (
    <div class="config-field" {...refusedAs(refusal)}>
      <div class="config-head">
        <label for={id} class="config-name">
          <bdi>{visible(props.name)}</bdi>
        </label>
        {props.required && <span class="config-required">required</span>}
        {props.removable && <Remove {...props} />}
      </div>
      {props.children(control)}
      {control.describedBy !== undefined && (
        <div id={control.describedBy} class="config-hint">
          {doubt !== "" && <p class="config-doubt">{visible(doubt)}</p>}
          {hint !== "" && <p class="hint">{visible(hint)}</p>}
        </div>
      )}
    </div>
  );
}

/** What the editor finds a refused field by, to lead there. */
function refusedAs(refusal: string) {
  return refusal === "" ? {} : { "data-refused": true, tabIndex: -1 };
}

/** What a screen reader calls a field: the names on the way to it. */
export function labelOf(props: { path: readonly string[]; name: string }): string {
  return visible([...props.path, props.name].join(" "));
}

/** What holds where nothing is set, as the schema says it. */
export function fallbackOf(reader: SchemaReader, schema: Schema): string {
  const given = own(reader.resolve(schema), "default");
  if (given === undefined) return "";
  if (typeof given === "boolean") return given ? "yes" : "no";
  return visible(typeof given === "string" ? given : stringifyExact(given)).slice(0, 100);
}

export function Remove(props: { path: readonly string[]; name: string; onChange: (value: undefined) => void }) {
  return (
    <button
      type="button"
      class="small config-remove"
      aria-label={`Remove ${labelOf(props)}`}
      title="Remove"
      onClick={() => props.onChange(undefined)}
    >
      ✕
    </button>
  );
}

/** A part of a configuration that has parts itself, framed, with its name on the frame. */
export function Group(props: FieldProps & { children: ComponentChildren }) {
  const { reader, schema } = props;
  const id = useId();
  const hint = reader.text(schema, "description");
  const refusal = useRefusal(props.at, props.value);
  return (
    <fieldset
      class="config-group"
      aria-label={labelOf(props)}
      aria-describedby={refusal === "" ? undefined : id}
      {...refusedAs(refusal)}
    >
      <div class="config-head">
        <span class="config-name">
          <bdi>{visible(props.name)}</bdi>
        </span>
        {props.required && <span class="config-required">required</span>}
        {props.tools}
        {props.removable && <Remove {...props} />}
      </div>
      {refusal !== "" && (
        <p id={id} class="config-doubt">
          {visible(refusal)}
        </p>
      )}
      {hint !== "" && <p class="hint">{visible(hint)}</p>}
      {props.children}
    </fieldset>
  );
}

/** A button for each thing that may be added. */
export function Adders(props: {
  path: readonly string[];
  names: readonly { name: string; hint: string; add: () => void }[];
}) {
  const [most, setMost] = useState(40);
  if (props.names.length === 0) return null;
  return (
    <p class="config-adders">
      <span class="dim">Add</span>
      {props.names.slice(0, most).map(({ name, hint, add }) => (
        <button
          key={name}
          type="button"
          class="small config-add"
          title={hint}
          aria-label={`Add ${labelOf({ path: props.path, name })}`}
          onClick={add}
        >
          <bdi>{visible(name).slice(0, 100)}</bdi>
        </button>
      ))}
      {props.names.length > most && (
        <button type="button" class="small" onClick={() => setMost(most * 5)}>
          {props.names.length - most} more
        </button>
      )}
    </p>
  );
}
