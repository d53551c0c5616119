import { ExactNumber, stringifyExact } from "@tallystick/client";

/** A JSON Schema (2020-12), or a part of one. */
export type Schema = boolean | Readonly<Record<string, unknown>>;

/** A member of an object, as its schema has it. */
export interface Member {
  name: string;
  schema: Schema;
  required: boolean;
}

/** What control shows a value that a schema describes. `json` is a field for JSON: of what no other control can show. */
export type Shape =
  | { kind: "object"; members: readonly Member[]; others: Schema; names: Schema | undefined }
  | { kind: "array"; items: Schema }
  | { kind: "choice"; branches: readonly Schema[] }
  | { kind: "enum"; values: readonly unknown[] }
  | { kind: "string" | "number" | "integer" | "boolean" | "null" | "json" };

const deepest = 12; // levels of a configuration that have controls of their own
const widest = 1_000; // members, branches or values of a schema that do
const longestSaid = 1_000; // characters of a title or description
const longestChain = 16; // of references that lead to one another

/** Reads a schema: what it refers to, and which controls show it. Whatever the schema says, it ends, and throws nothing. */
export class SchemaReader {
  readonly root: Schema;

  constructor(root: unknown) {
    this.root = isSchema(root) ? root : true;
  }

  /** The schema itself where it is a reference; what stands beside the reference takes the place of what it refers to. */
  resolve(schema: Schema): Schema {
    let beside: Readonly<Record<string, unknown>> = {};
    for (let i = 0; i < longestChain; i++) {
      if (typeof schema === "boolean") return schema;
      const { $ref, ...rest } = schema;
      beside = { ...rest, ...beside };
      if (typeof $ref !== "string") return beside;
      schema = this.#at($ref) ?? true;
    }
    return beside;
  }

  #at(reference: string): Schema | undefined {
    if (!reference.startsWith("#")) return undefined;
    let found: unknown = this.root;
    for (const part of reference.slice(1).split("/").slice(1)) {
      found = own(found, part.replaceAll("~1", "/").replaceAll("~0", "~"));
    }
    return isSchema(found) ? found : undefined;
  }

  /** A word of the schema that is a text: its title, its description. */
  text(schema: Schema, word: "title" | "description"): string {
    const found = own(this.resolve(schema), word);
    if (typeof found !== "string") return "";
    return found.length > longestSaid ? `${found.slice(0, longestSaid)}…` : found;
  }

  shape(schema: Schema, depth = 0): Shape {
    const one = this.resolve(schema);
    if (typeof one === "boolean" || depth > deepest) return { kind: "json" };
    if (Object.hasOwn(one, "const")) return { kind: "enum", values: [one["const"]] };
    const values = listOf(one["enum"]);
    if (values) return { kind: "enum", values };
    const type = one["type"] ?? typeByWords(one);
    if (Array.isArray(type)) {
      const types = type.filter((name) => typeof name === "string");
      return { kind: "choice", branches: types.map((name) => ({ ...one, type: name })) };
    }
    switch (type) {
      case "object":
        return objectShape(one);
      case "array":
        return isSchema(one["items"]) && one["prefixItems"] === undefined
          ? { kind: "array", items: one["items"] }
          : { kind: "json" };
    }
    for (const kind of ["string", "number", "integer", "boolean", "null"] as const) {
      if (type === kind) return { kind };
    }
    const branches = listOf(one["oneOf"]) ?? listOf(one["anyOf"]);
    if (branches?.every(isSchema)) return { kind: "choice", branches };
    const [only, ...others] = listOf(one["allOf"]) ?? [];
    if (isSchema(only) && others.length === 0) return this.shape(only, depth + 1);
    return { kind: "json" };
  }

  /** Whether the control of a schema can show the value; its parts are judged by controls of their own. */
  shows(schema: Schema, value: unknown, depth = 0): boolean {
    const shape = this.shape(schema, depth);
    switch (shape.kind) {
      case "enum":
        return shape.values.some((one) => same(one, value));
      case "choice":
        return depth <= deepest && shape.branches.some((branch) => this.shows(branch, value, depth + 1));
      case "json":
        return true;
      case "integer":
        return typeOf(value) === "number";
      default:
        return typeOf(value) === shape.kind;
    }
  }

  /** Whether a value is what a schema asks for, as far as it takes to tell the branches of a choice apart. */
  fits(schema: Schema, value: unknown, depth = 0): boolean {
    if (!this.shows(schema, value, depth)) return false;
    const shape = this.shape(schema, depth);
    if (shape.kind === "choice")
      return shape.branches.some((branch) => depth < deepest && this.fits(branch, value, depth + 1));
    if (shape.kind === "array" && Array.isArray(value))
      return value.slice(0, 50).every((item) => this.fits(shape.items, item, depth + 1));
    if (shape.kind === "object" && isObject(value)) {
      return (
        shape.members.every((one) =>
          Object.hasOwn(value, one.name) ? this.fits(one.schema, value[one.name], depth + 1) : !one.required,
        ) &&
        (shape.others !== false || Object.keys(value).every((name) => shape.members.some((one) => one.name === name)))
      );
    }
    return this.doubt(schema, value) === "";
  }

  /** Why a text or a number is not what the schema asks for, in words; "" where nothing speaks against it. The server has the last word. */
  doubt(schema: Schema, value: unknown): string {
    const one = this.resolve(schema);
    if (typeof one === "boolean") return "";
    if (typeof value === "string") return doubtOfText(one, value);
    return typeOf(value) === "number" ? doubtOfNumber(one, Number(String(value))) : "";
  }

  /** What a value begins as, when it is added. */
  initial(schema: Schema, depth = 0): unknown {
    const given = own(this.resolve(schema), "default");
    if (given !== undefined) return given;
    const shape = this.shape(schema, depth);
    switch (shape.kind) {
      case "enum":
        return shape.values[0];
      case "choice":
        return shape.branches[0] === undefined ? null : this.initial(shape.branches[0], depth + 1);
      case "object":
        return Object.fromEntries(
          shape.members.filter((one) => one.required).map((one) => [one.name, this.initial(one.schema, depth + 1)]),
        );
      case "array":
        return [this.initial(shape.items, depth + 1)];
      case "string":
        return "";
      case "number":
      case "integer":
        return Math.max(0, Number(own(this.resolve(schema), "minimum") ?? 0)) || 0;
      case "boolean":
        return false;
      default:
        return null;
    }
  }
}

function objectShape(one: Readonly<Record<string, unknown>>): Shape {
  const properties = one["properties"];
  const others = one["additionalProperties"];
  if (one["patternProperties"] !== undefined) return { kind: "json" };
  const entries = isObject(properties) ? Object.entries(properties) : [];
  if (entries.length > widest) return { kind: "json" };
  const required = Array.isArray(one["required"]) ? one["required"] : [];
  const names = one["propertyNames"];
  return {
    kind: "object",
    members: entries.map(([name, schema]) => ({
      name,
      schema: isSchema(schema) ? schema : true,
      required: required.includes(name),
    })),
    others: isSchema(others) ? others : true,
    names: isSchema(names) ? names : undefined,
  };
}

/** The type that a schema means, which says none, by the words that it uses. */
function typeByWords(one: Readonly<Record<string, unknown>>): string | undefined {
  if (one["properties"] !== undefined || one["additionalProperties"] !== undefined) return "object";
  if (one["items"] !== undefined || one["prefixItems"] !== undefined) return "array";
  if (one["pattern"] !== undefined || one["minLength"] !== undefined || one["maxLength"] !== undefined) return "string";
  if (one["minimum"] !== undefined || one["maximum"] !== undefined) return "number";
  return undefined;
}

const longestTried = 1_024; // characters of a text that a pattern is tried on

function doubtOfText(one: Readonly<Record<string, unknown>>, value: string): string {
  const { minLength, maxLength, pattern } = one;
  if (typeof minLength === "number" && value.length < minLength) {
    return value === "" ? "It must not be empty." : `It must have ${minLength} characters or more.`;
  }
  if (typeof maxLength === "number" && value.length > maxLength) return `It must have ${maxLength} characters at most.`;
  if (typeof pattern !== "string" || value.length > longestTried) return "";
  try {
    if (new RegExp(pattern, "u").test(value)) return "";
  } catch {
    return ""; // a pattern that this browser does not read
  }
  return pattern.length <= 60 ? `It must match ${pattern}` : "It does not have the form that the view asks for.";
}

function doubtOfNumber(one: Readonly<Record<string, unknown>>, value: number): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = one;
  if (typeof minimum === "number" && value < minimum) return `It must be ${minimum} or more.`;
  if (typeof maximum === "number" && value > maximum) return `It must be ${maximum} at most.`;
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum) return `It must be above ${exclusiveMinimum}.`;
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum) return `It must be below ${exclusiveMaximum}.`;
  return own(one, "type") === "integer" && !Number.isInteger(value) ? "It must be a whole number." : "";
}

/** A JSON value's type, by JSON Schema's names; numbers that a double cannot hold are numbers. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint" || value instanceof ExactNumber) return "number";
  return typeof value;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeOf(value) === "object";
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "boolean" || isObject(value);
}

/** A member that the object has itself: `__proto__` is a name like any other. */
export function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.length <= widest ? value : undefined;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && a !== null && stringifyExact(a) === stringifyExact(b));
}
