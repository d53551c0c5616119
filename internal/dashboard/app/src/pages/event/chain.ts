import type { StoredEvent } from "@tallystick/client";

/** What the page's own computing of an event's hash came to. */
export type Check = { state: "matches" | "differs"; computed: string } | { state: "impossible" };

const utf8 = new TextEncoder();

/** The hash that a log begins with, as docs/evidence.md has it. */
export async function firstHash(logId: string): Promise<string> {
  return sha256([utf8.encode("tallystick/log/1\n"), fromHex(logId.replaceAll("-", ""))]);
}

/** Whether an event's hash is that of the hash before it and of what the event is. Pages without TLS cannot compute one. */
export async function checkHash(event: StoredEvent, before: string): Promise<Check> {
  if (!canHash()) return { state: "impossible" };
  const computed = await sha256([
    utf8.encode("tallystick/event/1\n"),
    fromHex(before),
    eightBytes(BigInt(event.sequence)),
    eightBytes(microseconds(event.recorded_at)),
    eightBytes(microseconds(event.time)),
    ...sized(event.type ?? ""),
    ...sized(event.key ?? ""),
    ...sized(event.raw),
  ]);
  return { state: computed === event.hash ? "matches" : "differs", computed };
}

/** Browsers have the function for it on pages with TLS, and on those of the same machine. */
export function canHash(): boolean {
  return (crypto as { subtle?: SubtleCrypto }).subtle !== undefined;
}

async function sha256(parts: readonly Uint8Array[]): Promise<string> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function eightBytes(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, value);
  return new Uint8Array(view.buffer);
}

function sized(text: string): [Uint8Array, Uint8Array] {
  const content = utf8.encode(text);
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, content.length);
  return [new Uint8Array(size.buffer), content];
}

/** Microseconds since 1970 of a time in UTC: Date alone knows milliseconds. */
function microseconds(time: string): bigint {
  const [whole = "", fraction = ""] = time.replace(/Z$/, "").split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}
