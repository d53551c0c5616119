import type { Message } from "./types.js";

const longestMessage = 16 << 20; // characters; an event has at most 1 MiB

/**
 * Reads server-sent events, as the HTML standard says: lines end with CR, LF or both, wherever the chunks are cut. A message that is not
 * finished by an empty line when the stream ends is left out. One without data is handed on only where it moves the id.
 */
export async function* readMessages(
  chunks: AsyncIterable<Uint8Array>,
  lastId = "",
): AsyncGenerator<Message, void, undefined> {
  const decoder = new TextDecoder(); // takes a byte order mark away, and joins characters that were cut
  let rest = "";
  let message: Message = { id: lastId, event: "message", data: "" };
  let data: string[] | undefined;
  let before = lastId; // the id of the last message
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let at = 0;
    for (;;) {
      const line = nextLine(rest, at);
      if (line === undefined) break;
      at = line.next;
      if (line.text !== "") {
        const [name, value] = field(line.text);
        if (name === "data") (data ??= []).push(value);
        else if (name === "event") message.event = value;
        else if (name === "id" && !value.includes("\0")) message.id = value;
        continue;
      }
      if (data !== undefined || message.id !== before) yield { ...message, data: data?.join("\n") ?? "" };
      before = message.id;
      message = { id: message.id, event: "message", data: "" };
      data = undefined;
    }
    rest = rest.slice(at);
    if (rest.length > longestMessage) throw new RangeError("a line of the stream is longer than any message can be");
  }
}

/** The line that begins at an index, and where the next one does; undefined where it has no end yet. */
function nextLine(text: string, at: number): { text: string; next: number } | undefined {
  const ending = /\r\n|\n|\r/g;
  ending.lastIndex = at;
  const match = ending.exec(text);
  if (!match) return undefined;
  const next = match.index + match[0].length;
  if (match[0] === "\r" && next === text.length) return undefined; // a LF may follow in the next chunk
  return { text: text.slice(at, match.index), next };
}

function field(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(" ") ? value.slice(1) : value];
}
