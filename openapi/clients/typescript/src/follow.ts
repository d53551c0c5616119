import { problemOf, TallyError } from "./errors.js";
import type { FollowOptions } from "./api/logs.js";
import { jitter, sleep } from "./time.js";
import type { Message } from "./types.js";

const wellConnected = 10_000; // ms after which a connection was not a failure

/**
 * The messages of a stream without end: where the server ends it, or it breaks off, the next connection goes on after the last message.
 * Until there was a connection, the call's deadline holds; after that it comes back for as long as it takes.
 *
 * @throws {TallyError} what will not pass: an answer of 4xx but 429
 */
export async function* follow(
  connect: (lastEventId: string | undefined) => AsyncGenerator<Message, void, undefined>,
  options: FollowOptions,
  deadline: number,
): AsyncGenerator<Message, void, undefined> {
  let lastId = options.lastEventId;
  let connected = false;
  const began = Date.now();
  for (let failures = 0; ; failures++) {
    const tried = Date.now();
    let trouble = new TallyError({ code: "connection", detail: "the server ended the stream" });
    try {
      for await (const message of connect(lastId)) {
        connected = true;
        if (message.event === "end") {
          trouble = problemOf(message.data);
          break;
        }
        if (message.id !== "" && message.id !== lastId) failures = 0;
        lastId = message.id === "" ? lastId : message.id;
        yield message;
      }
    } catch (error) {
      if (!(error instanceof TallyError) || !mayPass(error)) throw error;
      if (!connected && Date.now() - began >= deadline) throw error;
      trouble = error;
    }
    if (Date.now() - tried > wellConnected) failures = 0;
    options.onTrouble?.(trouble);
    await sleep(1000 * (trouble.retryAfter ?? 0) + jitter(failures), options.signal);
  }
}

function mayPass(error: TallyError): boolean {
  return error.transient || (error.status !== undefined && error.status >= 500 && error.status !== 501);
}
