import { parseExact, TallyError, type Schemas } from "@tallystick/client";
import { client } from "../../core/session";

export type Report = Schemas["LogVerification"];

/** How far a verification is: which part it reads, and how many of its events. */
export interface Reading {
  what: string;
  done: number;
  total: number;
}

/** What is verified. */
export interface Request {
  /** `all`, `none`, or names with commas between them. */
  views: string;
  /** A head that was noted earlier; "" for none. */
  sequence: string;
  hash: string;
}

/**
 * Verifies a log, and tells how far it is.
 *
 * @throws {TallyError} where it could not be done
 */
export async function verify(
  log: string,
  request: Request,
  onProgress: (progress: Reading) => void,
  signal: AbortSignal,
): Promise<Report> {
  const query = new URLSearchParams({ views: request.views });
  if (request.hash !== "") query.set("hash", request.hash);
  if (request.sequence !== "") query.set("sequence", request.sequence);
  return reportOf("GET", `/logs/${encodeURIComponent(log)}/verify?${query.toString()}`, onProgress, signal);
}

/**
 * Asks for work that takes long, and tells how far it is. The answer comes in lines for that: progress now and then, the report last.
 *
 * @throws {TallyError} where it could not be done
 */
export async function reportOf<Of>(
  method: "GET" | "POST",
  path: string,
  onProgress: (progress: Reading) => void,
  signal: AbortSignal,
): Promise<Of> {
  const response = await client.value.fetch(path, { method, headers: { Accept: "application/x-ndjson" }, signal });
  if (!response.ok) throw problemOf(await response.text(), response.status);
  for await (const line of linesOf(response)) {
    const { progress, report, problem } = parseExact(line) as { progress?: Reading; report?: Of; problem?: object };
    if (progress) onProgress(progress);
    if (problem) throw problemOf(line, undefined);
    if (report) return report;
  }
  throw new TallyError({ code: "connection", detail: "the answer broke off before the report: ask for it again" });
}

async function* linesOf(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter(Boolean);
  }
}

/** The error of a refusal: of an answer's body, or of a line. */
function problemOf(text: string, status: number | undefined): TallyError {
  try {
    const body = parseExact(text) as { problem?: object; code?: string; detail?: string };
    const problem = body.problem ?? body;
    return new TallyError({ code: "unknown", detail: text, ...(status === undefined ? {} : { status }), ...problem });
  } catch {
    return new TallyError({ code: "unexpected_answer", detail: text.slice(0, 200) });
  }
}
