import { ExactNumber, parseExact, stringifyExact } from "@tallystick/client";

const deepest = 64; // levels of a configuration that a form is shown for

/** A configuration while it is edited: its text, and its value where the text is JSON. */
export interface Config {
  text: string;
  value: unknown;
  /** Why the text has no value. */
  problem?: string;
  /** Whether it is nested too deeply for a form. */
  deep?: boolean;
}

export function configOf(value: unknown): Config {
  return { text: pretty(value), value };
}

/** Reads what was typed. Numbers keep their digits. */
export function readConfig(text: string): Config {
  if (text.trim() === "") return { text, value: {} };
  try {
    const value = parseExact(text);
    return isDeeper(value, deepest) ? { text, value, deep: true } : { text, value };
  } catch (error) {
    return { text, value: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/** JSON laid out for people: what is short on one line, and every number digit by digit. */
export function pretty(value: unknown, indent = ""): string {
  const short = stringifyExact(value);
  const isNested = typeof value === "object" && value !== null && !(value instanceof ExactNumber);
  if (!isNested || (short.length <= 60 && !short.includes("{", 1))) return spaced(short, value);
  const within = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => within + pretty(item, within)).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value).map(
    ([name, member]) => `${within}${JSON.stringify(name)}: ${pretty(member, within)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

function spaced(short: string, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => stringifyExact(item)).join(", ")}]`;
  if (short.startsWith("{") && short !== "{}" && typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${pretty(member)}`);
    return `{ ${members.join(", ")} }`;
  }
  return short;
}
