import assert from "node:assert/strict";
import { test } from "node:test";
import { TallystickContainer } from "../src/index.js";

const image = process.env["TALLY_DEV_IMAGE"];
const module = new URL("../../../../views/dist/monthly_totals.wasm", import.meta.url).pathname;

if (image === undefined) {
  test("the container", { skip: "name the image that deploy/dev-image/build.sh built by TALLY_DEV_IMAGE" });
} else {
  test("has views, logs and its database", async () => {
    const container = await new TallystickContainer(image)
      .withView("customer-*", "tokens", { ready: "meter", config: { value: "/tokens", aggregations: ["sum"] } })
      .withView("customer-*", "months", { file: module })
      .withLog("customer-acme", { plan: "gold" })
      .start();
    try {
      const tally = container.getClient();
      assert.deepEqual((await tally.getLog("customer-acme")).labels, { plan: "gold" });
      await tally.appendEvent("customer-acme", { tokens: 150 });
      const { answer } = await tally.queryView<{ rows: { sum: string }[] }>("customer-acme", "tokens");
      assert.equal(answer.rows[0]?.sum, "150");
      assert.equal((await tally.getView("customer-acme", "months")).status, "live");
      assert.equal(container.getUrl(), tally.url);
      assert.match(container.getDatabaseUrl(), /^postgres:\/\/postgres:tally@[^/]+:\d+\/tally\?sslmode=disable$/);
      assert.deepEqual(container.getKeys(), []);
    } finally {
      await container.stop();
    }
  });

  test("asks for keys, where some are made", async () => {
    const container = await new TallystickContainer(image)
      .withKey("append", "read")
      .withKey("read")
      .withLog("acme")
      .start();
    try {
      assert.equal(container.getKeys().length, 2);
      assert.deepEqual(await container.getClient().appendEvent("acme", {}), { sequence: 1 });
      const reader = container.getClient({ key: container.getKeys()[1] });
      await assert.rejects(reader.appendEvent("acme", {}), { code: "missing_scope" });
      await assert.rejects(container.getClient({ key: "" }).getLog("acme"), { code: "unauthorized" });
    } finally {
      await container.stop();
    }
  });

  test("is stopped, with the server's own words, where something is refused", async () => {
    await assert.rejects(new TallystickContainer(image).withLog("no name").start(), { code: "invalid_name" });
  });
}

test("a key without scopes is refused", () => {
  assert.throws(() => new TallystickContainer("tallystick/dev").withKey(), RangeError);
});
