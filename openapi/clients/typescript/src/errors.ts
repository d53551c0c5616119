import { parseExact } from "./json.js";

/** A parameter or member that the server finds wrong. */
export interface InvalidField {
  /** Where it is, such as `body.name` or `query.limit`. */
  location?: string;
  /** What is wrong with it. */
  message?: string;
  [member: string]: unknown;
}

/** The members of a server's problem (RFC 9457) that programs read; there may be more. */
export interface ProblemBody {
  status?: number;
  code?: string;
  title?: string;
  detail?: string;
  head?: number;
  sequence?: number;
  line?: number;
  log_id?: string;
  fields?: InvalidField[];
  view?: string;
  answer?: Record<string, unknown>;
  request_id?: string;
  [member: string]: unknown;
}

/**
 * The one error of this client: what the server refused, or that it was not reached.
 *
 * `code` says which it is, and never changes its meaning: docs/api.md of Tallystick lists the codes of servers. The client's own are
 * `connection` (no answer came; what was asked for may have been done all the same), `unexpected_answer` (what answered is no Tallystick),
 * `deadline` and `buffer_full` (of a batcher).
 */
export class TallyError extends Error {
  override readonly name: string = "TallyError";
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** What went wrong, for programs. An unknown code is to be treated as its status is. */
  readonly code: string;
  /** What went wrong and what to do, for people. */
  readonly detail: string;
  /** The log's last sequence, where that is the point. */
  readonly head: number | undefined;
  /** The sequence of the event in question. */
  readonly sequence: number | undefined;
  /** The event of a batch in question, from 1. */
  readonly line: number | undefined;
  /** The id of the log that has the name already. */
  readonly logId: string | undefined;
  /** Which parameters or members are wrong, and why. */
  readonly fields: readonly InvalidField[];
  /** The view whose guard refused the event (`refused_by_guard`), or cannot be asked (`guard_halted`). */
  readonly view: string | undefined;
  /** What the guard says of its refusal, in members of the view's own. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  /** Seconds after which to try again; undefined where the server, or the guard, does not ask for that. */
  readonly retryAfter: number | undefined;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  /** All of the server's problem. */
  readonly problem: ProblemBody;

  constructor(problem: ProblemBody & { code: string; detail: string }, context: ErrorContext = {}) {
    super(`${problem.detail} (${problem.code})`, context.cause === undefined ? undefined : { cause: context.cause });
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.head = problem.head;
    this.sequence = problem.sequence;
    this.line = problem.line;
    this.logId = problem.log_id;
    this.fields = Array.isArray(problem.fields) ? problem.fields : [];
    this.view = problem.view;
    this.answer = problem.answer;
    this.retryAfter = context.retryAfter;
    this.requestId = context.requestId ?? problem.request_id;
    this.problem = problem;
  }

  /**
   * Whether the same request may succeed later: no answer came, or the server asks to come back (`Retry-After`). What a guard refuses is
   * refused, whenever there may be room again.
   */
  get transient(): boolean {
    if (this.code === "refused_by_guard") return false;
    return (
      this.code === "connection" || (this.retryAfter !== undefined && (this.status === 429 || this.status === 503))
    );
  }
}

/** What an error has beside the server's problem. */
export interface ErrorContext {
  retryAfter?: number | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

const longestQuote = 200; // characters of an answer that is not ours
const longestRetryAfter = 3600; // s: a server, or what is in front of it, must not send us away for good

/** The error that a message of a stream tells of. */
export function problemOf(data: string): TallyError {
  const problem = bodyOf(data);
  return new TallyError({ ...problem, code: problem.code ?? "unknown", detail: problem.detail ?? data });
}

/** The members of a problem; none where the text is none: a proxy's in between, or of another server. */
function bodyOf(text: string): ProblemBody {
  try {
    const parsed = parseExact(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as ProblemBody) : {};
  } catch {
    return {};
  }
}

/** The error of an answer whose status is not 2xx. */
export function refusal(response: Response, text: string): TallyError {
  const problem = bodyOf(text);
  const asked = seconds(response.headers.get("Retry-After"));
  const isGuards = problem.code === "refused_by_guard";
  const context = {
    retryAfter: asked === undefined || isGuards ? asked : Math.min(asked, longestRetryAfter),
    requestId: response.headers.get("Tally-Request-Id") ?? undefined,
  };
  const status = response.status;
  if (typeof problem.code === "string") {
    return new TallyError(
      { ...problem, status, code: problem.code, detail: problem.detail ?? `status ${status}` },
      context,
    );
  }
  const quote = text.trim().slice(0, longestQuote);
  const detail = `${response.url || "the server"} answered with status ${status}, and not as Tallystick does; check the URL`;
  return new TallyError(
    { status, code: "unexpected_answer", detail: quote === "" ? detail : `${detail}: ${quote}` },
    context,
  );
}

/** The error of a request that got no whole answer. */
export function unreachable(base: string, cause: unknown, why?: string): TallyError {
  const detail = `no answer from ${base}: ${why ?? reason(cause)}; is the server running, and is TALLY_URL (or url) right?`;
  return new TallyError({ code: "connection", detail }, { cause });
}

function reason(cause: unknown): string {
  // Node hides what happened one or two causes deep; browsers say nothing more than that it failed.
  let deepest: unknown = cause;
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return String(deepest);
  const code: unknown = Reflect.get(deepest, "code");
  return deepest.message || (typeof code === "string" ? code : deepest.name);
}

/** Retry-After, in seconds: a number of them, or a date. */
function seconds(header: string | null): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const number = Number(header);
  if (Number.isFinite(number)) return Math.max(0, number);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
