import { useId, useRef } from "preact/hooks";
import { useDraft, useValidity } from "./draft";
import { Adders, Group, labelOf, SchemaField, type FieldProps } from "./fields";
import { pointerTo } from "./refusals";
import { isObject, typeOf, type Member, type Schema, type SchemaReader, type Shape } from "./schema";

const mostItems = 100; // of a list or map that have fields of their own

type ObjectShape = Extract<Shape, { kind: "object" }>;

/** An object with the fields of its members. Those that may be left out are added by a button; at the top, simple ones are all there. */
export function ObjectField(props: FieldProps & { shape: ObjectShape }) {
  const { reader, shape, path } = props;
  const isTop = path.length === 0 && props.name === "";
  const value = isObject(props.value) ? props.value : undefined;
  if (value === undefined) {
    return (
      <Group {...props} removable={false}>
        <AddButton {...props} />
      </Group>
    );
  }
  const within = isTop ? [] : [...path, props.name];
  const set = (name: string, next: unknown) => props.onChange(withMember(value, name, next));
  const isThere = (one: Member) => one.required || Object.hasOwn(value, one.name);
  const shown = shape.members.filter((one) => isThere(one) || isTop);
  const offered = shape.members.filter((one) => !isThere(one) && !isTop);
  const known = new Set(shape.members.map((one) => one.name));
  const others = Object.keys(value).filter((name) => !known.has(name));
  const isMap = isOpen(shape);
  const fields = (
    <>
      {shown.slice(0, mostItems).map((one) => (
        <SchemaField
          key={one.name}
          reader={reader}
          schema={one.schema}
          value={Object.hasOwn(value, one.name) ? value[one.name] : undefined}
          onChange={(next) => set(one.name, next)}
          name={one.name}
          path={within}
          at={pointerTo(props.at, one.name)}
          required={one.required}
          removable={!one.required && (!isTop || hasParts(reader, one, value[one.name], within.length))}
        />
      ))}
      {shown.length > mostItems && <p class="hint">{shown.length - mostItems} more are in the JSON.</p>}
      {isMap ? (
        <MapRows {...props} value={value} names={others} within={within} />
      ) : (
        others
          .slice(0, mostItems)
          .map((name) => (
            <SchemaField
              key={name}
              reader={reader}
              schema={unknownMember}
              value={value[name]}
              onChange={(next) => set(name, next)}
              name={name}
              path={within}
              at={pointerTo(props.at, name)}
              required={false}
              removable
            />
          ))
      )}
      <Adders
        path={within}
        names={offered.map((one) => ({
          name: one.name,
          hint: reader.text(one.schema, "description"),
          add: () => set(one.name, reader.initial(one.schema, within.length + 1)),
        }))}
      />
    </>
  );
  return isTop ? <div class="config-top">{fields}</div> : <Group {...props}>{fields}</Group>;
}

const unknownMember: Schema = { description: "The schema has no member of this name." };

/** Whether an object takes members under any name. */
function isOpen(shape: ObjectShape): boolean {
  return shape.others !== false && (shape.others !== true || shape.members.length === 0);
}

function hasParts(reader: SchemaReader, one: Member, value: unknown, depth: number): boolean {
  const kind = reader.shape(one.schema, depth).kind;
  return kind === "object" || kind === "array" || (kind === "json" && value !== undefined);
}

/** The object with a member set, in its place, or taken out. */
function withMember(value: Readonly<Record<string, unknown>>, name: string, next: unknown): Record<string, unknown> {
  const entries = Object.entries(value).filter(([key]) => key !== name || next !== undefined);
  const changed = entries.map(([key, old]): [string, unknown] => [key, key === name ? next : old]);
  if (next !== undefined && !Object.hasOwn(value, name)) changed.push([name, next]);
  return Object.fromEntries(changed); // a member __proto__ is one like others
}

function AddButton(props: FieldProps) {
  return (
    <button
      type="button"
      class="small config-add"
      aria-label={`Add ${labelOf(props)}`}
      onClick={() => {
        const first = props.reader.initial(props.schema, props.path.length);
        props.onChange(first);
      }}
    >
      Add
    </button>
  );
}

interface Row {
  id: number;
  name: string;
  value: unknown;
}

/** The members of an object that may have any name: rows of a name and a value. A row whose name is taken or missing is not there yet. */
function MapRows(
  props: FieldProps & {
    shape: ObjectShape;
    value: Readonly<Record<string, unknown>>;
    names: readonly string[];
    within: readonly string[];
  },
) {
  const { reader, shape, value, within } = props;
  const next = useRef(0);
  const fixed = new Set(shape.members.map((one) => one.name));
  const [rows, keep] = useDraft<Row[]>(value, () =>
    props.names.map((name) => ({ id: next.current++, name, value: value[name] })),
  );
  const change = (changed: Row[]) => {
    const members = Object.entries(value).filter(([name]) => fixed.has(name));
    const added = changed.filter((row, i) => problemOf(changed, row, i, fixed) === undefined);
    const whole = Object.fromEntries([...members, ...added.map((row): [string, unknown] => [row.name, row.value])]);
    keep(changed, whole);
    props.onChange(whole);
  };
  return (
    <div class="config-rows">
      {rows.slice(0, mostItems).map((row, i) => (
        <div key={row.id} class="config-row">
          <RowName
            label={`Name ${i + 1} of ${labelOf(props)}`}
            row={row}
            problem={problemOf(rows, row, i, fixed) ?? doubtOf(reader, shape, row.name)}
            blocks={problemOf(rows, row, i, fixed) !== undefined}
            onName={(name) => change(rows.map((one) => (one === row ? { ...row, name } : one)))}
          />
          <SchemaField
            reader={reader}
            schema={shape.others}
            value={row.value}
            onChange={(changed) =>
              change(
                changed === undefined
                  ? rows.filter((one) => one !== row)
                  : rows.map((one) => (one === row ? { ...row, value: changed } : one)),
              )
            }
            name={row.name === "" ? `${i + 1}` : row.name}
            path={within}
            at={pointerTo(props.at, row.name)}
            required={false}
            removable
          />
        </div>
      ))}
      {rows.length > mostItems && <p class="hint">{rows.length - mostItems} more are in the JSON.</p>}
      <button
        type="button"
        class="small config-add"
        aria-label={`Add to ${labelOf(props)}`}
        onClick={() => {
          const added = { id: next.current++, name: "", value: reader.initial(shape.others, within.length + 1) };
          keep([...rows, added], value);
        }}
      >
        Add
      </button>
    </div>
  );
}

function problemOf(rows: readonly Row[], row: Row, at: number, fixed: ReadonlySet<string>): string | undefined {
  if (row.name === "") return "It needs a name.";
  if (fixed.has(row.name) || rows.slice(0, at).some((one) => one.name === row.name))
    return "This name is there already.";
  return undefined;
}

function doubtOf(reader: SchemaReader, shape: ObjectShape, name: string): string | undefined {
  return (shape.names === undefined ? "" : reader.doubt(shape.names, name)) || undefined;
}

function RowName(props: {
  label: string;
  row: Row;
  problem: string | undefined;
  blocks: boolean;
  onName: (name: string) => void;
}) {
  const id = useId();
  const field = useValidity<HTMLInputElement>(props.blocks ? props.problem : undefined);
  return (
    <div class="config-field">
      <div class="config-head">
        <label for={id} class="config-name">
          Name
        </label>
      </div>
      <input
        ref={field}
        id={id}
        aria-label={props.label}
        aria-invalid={props.problem !== undefined}
        type="text"
        autocomplete="off"
        spellcheck={false}
        dir="auto"
        value={props.row.name}
        onInput={(event) => props.onName(event.currentTarget.value)}
      />
      {props.problem !== undefined && <p class="config-doubt">{props.problem}</p>}
    </div>
  );
}

/** A list with the fields of its items. */
export function ListField(props: FieldProps & { shape: Extract<Shape, { kind: "array" }> }) {
  const { reader, shape, path } = props;
  if (!Array.isArray(props.value)) {
    return (
      <Group {...props} removable={false}>
        <AddButton {...props} />
      </Group>
    );
  }
  const items: readonly unknown[] = props.value;
  const within = [...path, props.name];
  const set = (at: number, next: unknown) =>
    props.onChange(
      next === undefined ? items.filter((_, i) => i !== at) : items.map((item, i) => (i === at ? next : item)),
    );
  return (
    <Group {...props}>
      {items.slice(0, mostItems).map((item, i) => (
        <SchemaField
          key={`${i} ${typeOf(item)}`}
          reader={reader}
          schema={shape.items}
          value={item}
          onChange={(next) => set(i, next)}
          name={String(i + 1)}
          path={within}
          at={pointerTo(props.at, i)}
          required={false}
          removable
        />
      ))}
      {items.length > mostItems && <p class="hint">{items.length - mostItems} more are in the JSON.</p>}
      <button
        type="button"
        class="small config-add"
        aria-label={`Add to ${labelOf(props)}`}
        onClick={() => props.onChange([...items, reader.initial(shape.items, within.length)])}
      >
        Add
      </button>
    </Group>
  );
}
