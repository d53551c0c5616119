import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { transform } from "esbuild";

type Verify = (secret: string, headers: Headers, body: string, now?: number) => boolean;

const page = readFileSync(new URL("../../../../../docs/webhooks.md", import.meta.url), "utf8");

test("the receiver of docs/webhooks.md takes what is signed, and nothing else", async () => {
  const sample = /^```ts\n(.*?)^```/ms.exec(page)?.[1] ?? "";
  const folder = mkdtempSync(join(tmpdir(), "tally-webhooks-"));
  try {
    const file = join(folder, "receive.mjs");
    writeFileSync(file, (await transform(sample, { loader: "ts" })).code);
    const { isGenuine } = (await import(file)) as { isGenuine: Verify };
    const key = randomBytes(32);
    const secret = `whsec_${key.toString("base64")}`;
    const body = '{"id":"msg_1","type":"view.halted","data":{"error":"ü"}}';
    const now = Math.floor(Date.now() / 1000);
    const headers = (at = now, version = "v1", signed = body, by = key) =>
      new Headers({
        "webhook-id": "msg_1",
        "webhook-timestamp": String(at),
        "webhook-signature": `v1,${randomBytes(32).toString("base64")} ${version},${createHmac("sha256", by)
          .update(`msg_1.${String(at)}.${signed}`)
          .digest("base64")}`,
      });
    assert.ok(isGenuine(secret, headers(), body));
    assert.ok(!isGenuine(secret, headers(), body + " "), "another body");
    assert.ok(!isGenuine(secret, headers(now - 360), body), "an old one");
    assert.ok(!isGenuine(secret, headers(now + 360), body), "one of the future");
    assert.ok(!isGenuine(secret, headers(now, "v2"), body), "another version");
    assert.ok(!isGenuine(secret, headers(now, "v1", body, randomBytes(32)), body), "another secret");
    assert.ok(!isGenuine(secret, new Headers({ "webhook-id": "msg_1" }), body), "without a signature");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
