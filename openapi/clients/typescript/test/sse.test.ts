import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessages } from "../src/sse.js";
import type { Message } from "../src/index.js";

async function read(chunks: Uint8Array[], lastId?: string): Promise<Message[]> {
  async function* stream() {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const messages: Message[] = [];
  for await (const message of readMessages(stream(), lastId)) messages.push(message);
  return messages;
}

const text =
  '\ufeff: events after 0\nretry: 1000\nid: 0\n\nid: 1\nevent: event\ndata: {"a":"ü€𝄞"}\n\n' +
  ": still here\nid: 1\n\ndata:two\ndata: lines\nunknown: x\nid\n\nevent: gone\n\nid: 7\nevent: half\ndata: never";
const messages: Message[] = [
  { id: "0", event: "message", data: "" },
  { id: "1", event: "event", data: '{"a":"ü€𝄞"}' },
  { id: "", event: "message", data: "two\nlines" },
];

test("messages are the same, wherever the bytes are cut and however lines end", async () => {
  for (const ending of ["\n", "\r\n", "\r"]) {
    const bytes = new TextEncoder().encode(text.replaceAll("\n", ending));
    assert.deepEqual(await read([bytes]), messages);
    assert.deepEqual(await read(Array.from(bytes, (byte) => Uint8Array.of(byte))), messages);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(await read([bytes.subarray(0, cut), bytes.subarray(cut)]), messages, `cut at ${cut}`);
    }
  }
});

test("a message that was not finished is none", async () => {
  const bytes = new TextEncoder().encode("id: 1\ndata: whole\n\nid: 2\ndata: not\n");
  assert.deepEqual(await read([bytes]), [{ id: "1", event: "message", data: "whole" }]);
});

test("the id from before holds until another one comes", async () => {
  const bytes = new TextEncoder().encode("data: x\n\nid: 4\n\n");
  assert.deepEqual(await read([bytes], "3"), [
    { id: "3", event: "message", data: "x" },
    { id: "4", event: "message", data: "" },
  ]);
});

test("a line without end does not fill the memory", async () => {
  const chunk = new Uint8Array(1 << 20).fill(97);
  await assert.rejects(read(Array.from({ length: 20 }, () => chunk)), RangeError);
});
