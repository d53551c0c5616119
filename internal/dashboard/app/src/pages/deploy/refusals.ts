import type { TallyError } from "@tallystick/client";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { own } from "./schema";

/** Why the server refused a value of the configuration, and the value: with another one, it says nothing any more. */
interface Refusal {
  message: string;
  value: unknown;
}

/** What the server refused of a configuration, by JSON Pointer. */
export type Refusals = ReadonlyMap<string, Refusal>;

export const RefusalsContext = createContext<Refusals>(new Map());

/** What the server says against the value at a place, "" where it says nothing. */
export function useRefusal(at: string, value: unknown): string {
  const found = useContext(RefusalsContext).get(at);
  return found !== undefined && found.value === value ? found.message : "";
}

/** The members that a problem names of a configuration: `body.config/limits/0/window`. */
export function refusalsOf(error: TallyError | undefined, config: unknown): Refusals {
  const found = new Map<string, Refusal>();
  for (const { location = "", message = "" } of error?.fields ?? []) {
    const at = /^body\.config((?:\/.*)?)$/s.exec(location)?.[1];
    if (at !== undefined) found.set(at, { message: sentence(message), value: valueAt(config, at) });
  }
  return found;
}

function sentence(message: string): string {
  return `It ${message}.`;
}

/** The JSON Pointer of a member of what is at a place. */
export function pointerTo(at: string, name: string | number): string {
  return `${at}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function valueAt(config: unknown, pointer: string): unknown {
  let found = config;
  for (const part of pointer.split("/").slice(1)) {
    found = own(found, part.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return found;
}
