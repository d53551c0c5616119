import { signal } from "@preact/signals";

/**
 * Where the viewer is. It is the fragment of the address, which browsers send to no server: names of logs stay out of access logs. A link
 * to it shows another viewer the same thing; it never holds a key.
 */
export interface Route {
  /** The parts of the path, decoded: `["logs", "customer-acme"]`. Empty on the first page. */
  path: readonly string[];
  query: Readonly<Record<string, string>>;
}

/** The parameters of a link; what is undefined or "" is left out. */
export type LinkQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** The address of a page, for `href`. */
export function link(path: readonly string[], query: LinkQuery = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** Reads a fragment. What cannot be decoded is taken as it is written: a link may come from anywhere. */
export function parseRoute(fragment: string): Route {
  const [path = "", ...query] = fragment.replace(/^#?\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(query.join("?"))),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** The value, if it is one of these: what an address holds may be anything. */
export function oneOf<const Value extends string>(
  value: string | undefined,
  values: readonly Value[],
): Value | undefined {
  return values.find((one) => one === value);
}

/** Goes to another page, as a click on its link does. */
export function go(path: readonly string[], query: LinkQuery = {}): void {
  location.hash = link(path, query);
}

/** Changes parameters of the page that is shown, without a step in the history: filters, while they are typed. */
export function refine(query: LinkQuery): void {
  const next = link(route.value.path, { ...route.value.query, ...query });
  history.replaceState(history.state, "", next);
  route.value = parseRoute(next);
}
