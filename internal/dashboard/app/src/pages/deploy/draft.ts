import { useEffect, useRef, useState } from "preact/hooks";

/**
 * What is typed into a field, while the value that it stands for may be another: a number that is half written keeps the one before. The
 * draft begins anew when the value is changed from elsewhere.
 */
export function useDraft<Draft>(value: unknown, format: (value: unknown) => Draft) {
  const kept = useRef<{ value: unknown; draft: Draft } | undefined>(undefined);
  const [, redraw] = useState(0);
  if (kept.current?.value !== value || kept.current === undefined) kept.current = { value, draft: format(value) };
  const keep = (draft: Draft, next: unknown) => {
    kept.current = { value: next, draft };
    redraw((n) => n + 1);
  };
  return [kept.current.draft, keep] as const;
}

/** Keeps a form from being sent while a field has a problem; the browser says which. */
export function useValidity<Element extends HTMLInputElement | HTMLTextAreaElement>(problem: string | undefined) {
  const element = useRef<Element>(null);
  useEffect(() => element.current?.setCustomValidity(problem ?? ""), [problem]);
  return element;
}
