import { useState } from "preact/hooks";
import { Labelled, labelOf, SchemaField, fallbackOf, type FieldProps } from "./fields";
import { ScalarControl } from "./scalars";
import type { Schema, SchemaReader } from "./schema";

/** A value that is one of several kinds: which one, and the field of that. */
export function ChoiceField(props: FieldProps & { branches: readonly Schema[] }) {
  const { reader, value, branches, path } = props;
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const depth = path.length + 1;
  const absent = value === undefined;
  const at = absent ? -1 : branchOf(reader, branches, value, chosen, depth);
  const branch = branches[at];
  const kinds = kindNames(reader, branches, depth);
  const choose = (text: string) => {
    const next = text === "" ? undefined : Number(text);
    if ((next ?? -1) === at) return;
    setChosen(next);
    const schema = next === undefined ? undefined : branches[next];
    props.onChange(schema === undefined ? undefined : reader.initial(schema, depth));
  };
  const fallback = fallbackOf(reader, props.schema);
  const kind = (
    <select
      class="config-kind"
      aria-label={`Kind of ${labelOf(props)}`}
      value={at < 0 ? "" : String(at)}
      onInput={(event) => choose(event.currentTarget.value)}
    >
      {((!props.required && !props.removable) || absent) && (
        <option value="">{fallback === "" ? "not set" : `not set: ${fallback}`}</option>
      )}
      {kinds.map((name, i) => (
        <option key={i} value={String(i)}>
          {name}
        </option>
      ))}
    </select>
  );
  const shape = branch === undefined ? undefined : reader.shape(branch, depth);
  if (branch !== undefined && (shape?.kind === "object" || shape?.kind === "array" || shape?.kind === "choice")) {
    const tools = (
      <>
        {props.tools}
        {kind}
      </>
    );
    return <SchemaField {...props} schema={shown(props.schema, branch, reader)} tools={tools} />;
  }
  return (
    <Labelled {...props} schema={shown(props.schema, branch, reader)}>
      {(control) => (
        <div class="config-choice">
          {kind}
          {shape && <ScalarControl {...control} optional={false} fallback="" shape={shape} />}
        </div>
      )}
    </Labelled>
  );
}

/** The branch that a value is of: the one that was chosen, while the value can be shown by it. */
function branchOf(
  reader: SchemaReader,
  branches: readonly Schema[],
  value: unknown,
  chosen: number | undefined,
  depth: number,
): number {
  const kept = chosen === undefined ? undefined : branches[chosen];
  if (kept !== undefined && chosen !== undefined && reader.shows(kept, value, depth)) return chosen;
  const fitting = branches.findIndex((branch) => reader.fits(branch, value, depth));
  return fitting >= 0 ? fitting : branches.findIndex((branch) => reader.shows(branch, value, depth));
}

const words: Readonly<Record<string, string>> = {
  object: "group",
  array: "list",
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "yes or no",
  null: "null",
  enum: "one of",
  choice: "choice",
  json: "JSON",
};

/** What the branches are called: by their titles, else by what they hold; a number tells those of one name apart. */
function kindNames(reader: SchemaReader, branches: readonly Schema[], depth: number): string[] {
  const names = branches.map((branch) => {
    const title = reader.text(branch, "title");
    return title === "" ? (words[reader.shape(branch, depth).kind] ?? "JSON") : title.slice(0, 100);
  });
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${i + 1})`));
}

/** The branch, described as the choice is. */
function shown(choice: Schema, branch: Schema | undefined, reader: SchemaReader): Schema {
  const own = branch === undefined ? {} : reader.resolve(branch);
  if (typeof own === "boolean") return choice;
  const description = reader.text(choice, "description") || reader.text(own, "description");
  return { ...own, description };
}
