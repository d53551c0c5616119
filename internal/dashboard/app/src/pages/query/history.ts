import { signal } from "@preact/signals";
import type { Asked } from "./question";

const name = "tallystick.questions";
const most = 50;

/** The questions of this tab, the latest first; each once. They are gone with the tab, as the key is: names of customers stay nowhere. */
export const history = signal<readonly Asked[]>(stored());

function stored(): Asked[] {
  try {
    const value = JSON.parse(sessionStorage.getItem(name) ?? "[]") as unknown;
    return Array.isArray(value) ? value.filter(isAsked) : [];
  } catch {
    return [];
  }
}

function isAsked(value: unknown): value is Asked {
  const { log, view, question } = (value ?? {}) as Partial<Asked>;
  return typeof log === "string" && typeof view === "string" && typeof question === "string";
}

export function remember(asked: Asked): void {
  const others = history.value.filter(
    (one) => one.log !== asked.log || one.view !== asked.view || one.question !== asked.question,
  );
  history.value = [asked, ...others].slice(0, most);
  try {
    sessionStorage.setItem(name, JSON.stringify(history.value));
  } catch {
    // The tab has no room left: the questions are kept until it is left.
  }
}
