import { refusal, TallyError, unreachable } from "./errors.js";
import { parseExact, stringifyExact } from "./json.js";
import { type CallOptions, type Query, settings, type Settings, type TallyOptions } from "./options.js";
import { jitter, Patience, reasonOf, sleep } from "./time.js";
import { version } from "./version.js";

/** What is sent: encoded once, so that every try has the same bytes. */
export type Body = string | Uint8Array;

/** One call of the API. */
export interface Call {
  method: string;
  /** Its segments, each of which is percent-encoded here; as text it is encoded already. */
  path: readonly (string | number)[] | string;
  query?: Query;
  headers?: Readonly<Record<string, string | undefined>>;
  body?: Body;
  contentType?: string;
  /**
   * Whether it may be sent again after a try whose outcome is not known. Other calls are sent again only where the server has refused
   * them before it did anything.
   */
  safe: boolean;
  /** Whether it may take long: it has no time-out but the caller's. */
  long?: boolean;
  options: CallOptions;
}

/** A whole answer of 2xx. */
export interface Reply {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
  text: string;
  /** How often it was sent: from 1. */
  tries: number;
}

/** What a request of one's own has beside its method and path. */
export interface RequestOptions extends CallOptions {
  query?: Query | undefined;
  /** Added to what each request of the client has. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Text and bytes are sent as they are, anything else as JSON; all as `application/json`, unless the headers say another type. */
  body?: unknown;
  /** To send it twice is as good as once: it is sent again after lost connections. Default: so it is for GET alone. */
  repeatable?: boolean | undefined;
}

/** Codes of 503 after which nothing was done, whatever was asked for: the server refused it before it began. */
const undone = new Set(["busy", "too_many_streams", "too_many_verifications", "too_many_watchers"]);
const utf8 = new TextDecoder();
const pathPart = (segment: string | number): string => `/${encodeURIComponent(segment)}`;

/** Sends requests, each as often as it takes and as it is safe. */
export class Transport {
  readonly #settings: Settings;

  /** @throws {RangeError} for a URL or key that is none */
  constructor(options: TallyOptions = {}) {
    this.#settings = settings(options, `tally-typescript/${version}`);
  }

  /** The server's address. */
  get url(): string {
    return this.#settings.base;
  }

  /**
   * Sends a request of your own, with this client's key: for what has no method here, such as a call that only a newer server knows. The
   * path is percent-encoded, such as `/logs/acme`. It is sent again and refused as all calls are; its answer's text is for
   * {@link parseExact}, where that is JSON.
   */
  request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { query = {}, headers = {}, body, repeatable = method.toUpperCase() === "GET" } = options;
    const call: Call = { method, path: path.replace(/^\/*/, "/"), query, headers, safe: repeatable, options };
    if (body !== undefined) {
      call.body = typeof body === "string" || body instanceof Uint8Array ? body : stringifyExact(body);
      call.contentType = "application/json";
    }
    return this.send(call);
  }

  /**
   * Sends a request of your own, once, for an answer that is to be read while it comes, such as a report after lines of progress. The path
   * begins with a slash. An answer of any status is returned, unread; {@link request} reads it, throws, and tries again.
   */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(this.#settings.headers);
    new Headers(init.headers).forEach((value, name) => headers.set(name, value));
    return this.#settings.fetch(this.url + path, { redirect: "manual", ...init, headers });
  }

  /** Sends a call and reads its answer. */
  protected async send(call: Call): Promise<Reply> {
    const { signal } = call.options;
    const deadline = Date.now() + (call.options.deadline ?? (call.long ? Infinity : this.#settings.deadline));
    const request = this.#request(call);
    for (let tries = 1; ; tries++) {
      try {
        return { ...(await this.#attempt(call, request, deadline - Date.now())), tries };
      } catch (error) {
        if (!(error instanceof TallyError) || !mayRepeat(call, error)) throw error;
        const delay = 1000 * (error.retryAfter ?? 0) + jitter(tries - 1);
        if (Date.now() + delay >= deadline) throw error;
        await sleep(delay, signal);
      }
    }
  }

  /** Sends a call and reads its answer as JSON, without loss; nothing where there is none. */
  protected async json<T>(call: Call): Promise<T> {
    const { text } = await this.send(call);
    return this.decode<T>(text);
  }

  /** Reads the text of an answer. */
  protected decode<T>(text: string): T {
    if (text === "") return undefined as T;
    try {
      return parseExact(text) as T;
    } catch (cause) {
      const detail = `the answer of ${this.url} is not JSON, and so not Tallystick's; check the URL`;
      throw new TallyError({ code: "unexpected_answer", detail }, { cause });
    }
  }

  /** One try of a call, with the answer read to its end. */
  async #attempt(call: Call, request: Request, left: number): Promise<Omit<Reply, "tries">> {
    const limit = Math.min(call.options.timeout ?? (call.long ? Infinity : this.#settings.timeout), left);
    const patience = new Patience(call.options.signal);
    patience.wait(limit);
    try {
      const response = await this.#fetch(request, patience.signal);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const text = utf8.decode(bytes);
      if (!response.ok) throw refusal(response, text);
      return { status: response.status, headers: response.headers, bytes, text };
    } catch (error) {
      throw this.#explain(error, call.options.signal, patience, limit);
    } finally {
      patience.end();
    }
  }

  /**
   * Opens a stream: its chunks, which end when the server ends it. A try fails after a silence, here and later, which comments of the
   * server break.
   */
  protected async *open(call: Call & { silence?: number | undefined }): AsyncGenerator<Uint8Array, void, undefined> {
    const silence = call.silence ?? this.#settings.silence;
    const request = this.#request(call);
    const patience = new Patience(call.options.signal);
    try {
      patience.wait(silence);
      const response = await this.#fetch(request, patience.signal);
      if (!response.ok) throw refusal(response, await response.text());
      const reader = response.body?.getReader();
      while (reader) {
        patience.wait(silence);
        const { done, value } = await reader.read();
        patience.wait(Infinity); // for as long as our caller takes
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw this.#explain(error, call.options.signal, patience, silence);
    } finally {
      patience.end(true); // who stops reading closes the connection
    }
  }

  #explain(error: unknown, signal: AbortSignal | undefined, patience: Patience, limit: number): unknown {
    if (error instanceof TallyError) return error;
    if (signal?.aborted) return reasonOf(signal);
    return unreachable(this.url, error, patience.over ? `nothing came for ${Math.round(limit) / 1000} s` : undefined);
  }

  #fetch(request: Request, signal: AbortSignal): Promise<Response> {
    return this.#settings.fetch(request.url, { ...request.init, signal });
  }

  /** @throws {TypeError} for a header that none can be */
  #request(call: Call): Request {
    const headers = new Headers(this.#settings.headers);
    const own = {
      "Tally-Tenant": call.options.tenant,
      "Tally-Actor": call.options.actor,
      "Content-Type": call.contentType,
      ...call.headers,
    };
    for (const [name, value] of Object.entries(own)) {
      if (value !== undefined) headers.set(name, value);
    }
    const init: RequestInit = { method: call.method, headers, redirect: "manual", cache: "no-store" };
    if (call.body !== undefined) init.body = call.body as BodyInit;
    const path = typeof call.path === "string" ? call.path : call.path.map(pathPart).join("");
    return { url: this.url + path + queryString(call.query), init };
  }
}

/** A call, made ready to be sent any number of times. */
interface Request {
  url: string;
  init: RequestInit;
}

function mayRepeat(call: Call, error: TallyError): boolean {
  if (!error.transient) return false;
  return call.safe || error.status === 429 || undone.has(error.code);
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    parameters.append(name, value instanceof Date ? value.toISOString() : String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}
