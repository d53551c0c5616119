import { ExactNumber, parseExact } from "../../src/index.js";
import { canonical } from "../../src/json.js";
import { isObject, only } from "./values.js";

/** A value of which the client gives the exact text too. */
export class WithText {
  constructor(
    readonly value: unknown,
    readonly text: string,
  ) {}
}

/** Why a value does not match a pattern; undefined where it does. */
export function mismatch(pattern: unknown, value: unknown, at = ""): string | undefined {
  const raw = only(pattern, "$raw");
  if (raw !== undefined) return value instanceof WithText && value.text === raw ? undefined : wrong(at, pattern, value);
  if (value instanceof WithText) return mismatch(pattern, value.value, at);
  const literal = only(pattern, "$literal");
  if (literal !== undefined) return exactly(literal, value, at);
  const verdict = condition(pattern, value, at);
  if (verdict !== undefined) return verdict || undefined;
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return wrong(at, pattern, value);
    return first(pattern.map((element, i) => () => mismatch(element, value[i], `${at}/${i}`)));
  }
  if (isObject(pattern)) {
    if (!isObject(value)) return wrong(at, pattern, value);
    return first(
      Object.entries(pattern).map(
        ([name, member]) =>
          () =>
            mismatch(member, value[name], `${at}/${name}`),
      ),
    );
  }
  return same(pattern, value) ? undefined : wrong(at, pattern, value);
}

/** What a condition says: "" for a match, undefined where the pattern is no condition. */
function condition(pattern: unknown, value: unknown, at: string): string | undefined {
  if (!isObject(pattern) || Object.keys(pattern).length !== 1) return undefined;
  const [[name, operand] = ["", undefined]] = Object.entries(pattern);
  const judge = (matches: boolean): string => (matches ? "" : wrong(at, pattern, value));
  switch (name) {
    case "$number":
      return judge(same(parseExact(String(operand)), value));
    case "$type":
      return judge(isOf(String(operand), value));
    case "$falsy":
      return judge(!value || (Array.isArray(value) && value.length === 0));
    case "$has":
      return judge(typeof value === "string" && value.includes(String(operand)));
    case "$least":
      return judge((typeof value === "number" || typeof value === "bigint") && value >= Number(operand));
    case "$length":
      return judge(Array.isArray(value) && value.length === Number(operand));
    case "$contains":
      return judge(
        Array.isArray(value) &&
          (operand as unknown[]).every((each) => value.some((element) => mismatch(each, element) === undefined)),
      );
    case "$exactly": {
      const members = operand as Record<string, unknown>;
      if (!isObject(value) || Object.keys(value).some((member) => !(member in members))) return judge(false);
      return mismatch(members, value, at) ?? "";
    }
    case "$not":
      return judge(mismatch(operand, value) !== undefined);
    case "$either":
      return judge((operand as unknown[]).some((each) => mismatch(each, value) === undefined));
    default:
      return undefined;
  }
}

function exactly(expected: unknown, value: unknown, at: string): string | undefined {
  if (isObject(expected) && isObject(value)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(value)]);
    return first([...names].map((name) => () => exactly(expected[name], value[name], `${at}/${name}`)));
  }
  if (Array.isArray(expected) && Array.isArray(value) && expected.length === value.length) {
    return first(expected.map((element, i) => () => exactly(element, value[i], `${at}/${i}`)));
  }
  return same(expected, value) ? undefined : wrong(at, expected, value);
}

function first(checks: (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const found = check();
    if (found !== undefined) return found;
  }
  return undefined;
}

function same(expected: unknown, value: unknown): boolean {
  if (isNumber(expected) && isNumber(value)) return canonical(String(expected)) === canonical(String(value));
  return expected === value;
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint" || value instanceof ExactNumber;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "number":
      return isNumber(value);
    case "integer":
      return isNumber(value) && /^-?\d+$/.test(String(value));
    default:
      return typeof value === type;
  }
}

function wrong(at: string, pattern: unknown, value: unknown): string {
  return `${at || "the answer"} is ${show(value)}, and should be ${show(pattern)}`;
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? String(member) : member));
}
