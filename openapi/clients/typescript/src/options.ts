/** What a client is made of; everything may be left out. */
export interface TallyOptions {
  /**
   * The server, such as `https://tally.example.com`; may have a path, which goes before each call's. Default: the environment's
   * `TALLY_URL` (in Node), else `http://127.0.0.1:8080`.
   */
  url?: string | undefined;
  /** A key or token. Default: the environment's `TALLY_KEY` (in Node), else none. In a page use a token: a key there is everybody's. */
  key?: string | undefined;
  /** The tenant to act in, by its name, for a key with the scope `operator`. Default: the key's own. */
  tenant?: string | undefined;
  /** Who asks, which is recorded with what changes something: at most 200 bytes. */
  actor?: string | undefined;
  /** Milliseconds for one try of a call. Default: 30,000. Audits and verifications take as long as they take. */
  timeout?: number | undefined;
  /** Milliseconds for all tries of a call together. Default: 60,000. */
  deadline?: number | undefined;
  /** Milliseconds without a byte, not even a comment, after which a tail or a watch connects again. Default: 45,000. */
  silence?: number | undefined;
  /** What sends requests. Default: the platform's `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Added to the User-Agent, where it can be set: not in browsers. */
  userAgent?: string | undefined;
}

/** What every call may be given. */
export interface CallOptions {
  /** Ends the call: it throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for one try; as for the client. */
  timeout?: number | undefined;
  /** Milliseconds for all tries; as for the client. */
  deadline?: number | undefined;
  /** As for the client. */
  tenant?: string | undefined;
  /** As for the client. */
  actor?: string | undefined;
}

/** The parameters of a query string; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | bigint | boolean | Date | undefined>>;

/** The names of options of calls: what else is in them is a parameter of the query. */
const callOptionNames = new Set(
  "signal timeout deadline tenant actor silence lastEventId idempotencyKey expectedSequence contentType onTrouble".split(
    " ",
  ),
);

/** The parameters of the query among a call's options. */
export function parametersOf(options: object): Query {
  return Object.fromEntries(Object.entries(options as Query).filter(([name]) => !callOptionNames.has(name)));
}

/** Settings with nothing left open. */
export interface Settings {
  base: string;
  headers: Record<string, string>;
  timeout: number;
  deadline: number;
  silence: number;
  fetch: typeof fetch;
}

/** @throws {RangeError} for what no request could be made with */
export function settings(options: TallyOptions, userAgent: string): Settings {
  const base = (options.url ?? environment("TALLY_URL") ?? "http://127.0.0.1:8080").trim().replace(/[?#].*$/s, "");
  if (!/^https?:\/\/[^/]/.test(base)) {
    throw new RangeError(`${JSON.stringify(base)} is no address of a server: it must be such as http://127.0.0.1:8080`);
  }
  const headers: Record<string, string> = {};
  const key = (options.key ?? environment("TALLY_KEY") ?? "").trim();
  if (key !== "") headers["Authorization"] = `Bearer ${key}`;
  if (!/^[\x21-\x7e]*$/.test(key)) {
    throw new RangeError(
      "the key has white space or other characters in it that no key has: is it a key, whole and alone?",
    );
  }
  if (node()) headers["User-Agent"] = options.userAgent ? `${userAgent} ${options.userAgent}` : userAgent;
  if (options.tenant !== undefined) headers["Tally-Tenant"] = options.tenant;
  if (options.actor !== undefined) headers["Tally-Actor"] = options.actor;
  return {
    base: base.replace(/\/+$/, ""),
    headers,
    timeout: options.timeout ?? 30_000,
    deadline: options.deadline ?? 60_000,
    silence: options.silence ?? 45_000,
    // Bound: browsers refuse a fetch that is called as a method of something else.
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
  };
}

interface Process {
  versions?: { node?: string };
  env?: Record<string, string | undefined>;
}

function node(): Process | undefined {
  const { process } = globalThis as { process?: Process };
  return process?.versions?.node === undefined ? undefined : process;
}

function environment(name: string): string | undefined {
  return node()?.env?.[name] || undefined; // an empty variable is one that was not set
}
