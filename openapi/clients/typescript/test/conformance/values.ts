import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExactNumber } from "../../src/index.js";

/** Variables of a case, by name. */
export type Scope = Readonly<Record<string, unknown>>;

type Members = Record<string, unknown>;

/** The one member of an object that has no other; undefined of anything else. */
export function only(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  const names = Object.keys(value);
  return names.length === 1 && names[0] === name ? value[name] : undefined;
}

export function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Replaces variables in texts and in names of members. */
export function substitute(value: unknown, scope: Scope): unknown {
  if (typeof value === "string") return substituteText(value, scope);
  if (Array.isArray(value)) return value.map((element) => substitute(element, scope));
  if (!isObject(value) || only(value, "$literal") !== undefined) return value;
  if (only(value, "$events") !== undefined) return value; // each copy has variables of its own
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [textOf(substituteText(name, scope)), substitute(member, scope)]),
  );
}

function substituteText(text: string, scope: Scope): unknown {
  const whole = /^\$([a-z_][a-z0-9_]*)$/.exec(text)?.[1];
  if (whole !== undefined && whole in scope) return scope[whole];
  return text.replace(/\$\{([a-z_][a-z0-9_]*)\}/g, (all, name: string) => (name in scope ? textOf(scope[name]) : all));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Arguments as they are given to the client: what stands for values becomes these values. */
export function argument(value: unknown, scope: Scope): unknown {
  const literal = only(value, "$literal");
  if (literal !== undefined) return literal;
  const replaced = substitute(value, scope);
  const raw = only(replaced, "$raw");
  if (typeof raw === "string") return raw;
  const base64 = only(replaced, "$base64");
  if (typeof base64 === "string") return new Uint8Array(Buffer.from(base64, "base64"));
  const file = only(replaced, "$file");
  if (typeof file === "string") return new Uint8Array(readFileSync(join(process.env["CONFORMANCE_FILES"] ?? "", file)));
  const number = only(replaced, "$number");
  if (typeof number === "string") return /[.eE]/.test(number) ? new ExactNumber(number) : BigInt(number);
  const events = only(replaced, "$events") as { count: unknown; event: unknown } | undefined;
  if (events !== undefined) return copies(events, scope);
  if (Array.isArray(replaced)) {
    return replaced.flatMap((element: unknown) => {
      const made = argument(element, scope);
      return only(element, "$events") === undefined ? [made] : made;
    });
  }
  if (!isObject(replaced)) return replaced;
  return Object.fromEntries(Object.entries(replaced).map(([name, member]) => [name, argument(member, scope)]));
}

function copies({ count, event }: { count: unknown; event: unknown }, scope: Scope): unknown[] {
  return Array.from({ length: Number(substitute(count, scope)) }, (_, i) => argument(event, { ...scope, i }));
}
