import { useEffect, useState } from "preact/hooks";
import { asTallyError, useResource } from "../core/resource";
import type { TallyError } from "@tallystick/client";
import { Problem } from "./states";
import type { ComponentChildren } from "preact";
import { Loaded } from "./states";

/** A page of a list, as the API answers it. */
export interface ListPage<Item> {
  items: readonly Item[];
  next: string | undefined;
}

/** A list that is read page by page: the first at once, each next one by a button. */
export function Pages<Item>(props: {
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<Item>>;
  deps: readonly unknown[];
  /** Another number has it read anew, with what is shown standing until then. */
  version?: number;
  /** Milliseconds after which the first page is read anew, while no other was. */
  every?: number;
  lines?: number;
  children: (items: readonly Item[]) => ComponentChildren;
}) {
  const [rest, setRest] = useState<{ deps: string; items: readonly Item[]; next: string | undefined } | undefined>();
  const [error, setError] = useState<TallyError | undefined>();
  const key = JSON.stringify(props.deps);
  const more = rest?.deps === key ? rest : undefined;
  const first = useResource(
    (signal) => props.load(undefined, signal),
    props.deps,
    props.every !== undefined && !more ? { every: props.every } : {},
  );
  useEffect(() => {
    if (props.version === undefined) return;
    setRest(undefined);
    first.reload();
  }, [props.version]);
  return (
    <Loaded of={first} lines={props.lines ?? 6}>
      {(page) => {
        const next = more ? more.next : page.next;
        const load = async () => {
          try {
            const { items, next: after } = await props.load(next, new AbortController().signal);
            setRest({ deps: key, items: [...(more?.items ?? []), ...items], next: after });
            setError(undefined);
          } catch (caught) {
            setError(asTallyError(caught));
          }
        };
        return (
          <>
            {props.children([...page.items, ...(more?.items ?? [])])}
            {error && <Problem error={error} />}
            {next !== undefined && (
              <button type="button" class="more" onClick={() => void load()}>
                Show more
              </button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
