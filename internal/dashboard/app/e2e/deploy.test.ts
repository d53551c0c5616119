import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Rig } from "./rig.js";

let rig: Rig;
before(async () => {
  rig = await Rig.start();
  await rig.tally.ensureLog("acme");
  await rig.tally.appendEvents("acme", [
    { type: "call", tokens: 5, model: "small" },
    { type: "call", tokens: 7, model: "large" },
  ]);
});
after(() => rig[Symbol.asyncDispose]());

const form = (page: Page) => page.getByRole("group", { name: "Configuration as a form" });
const json = async (page: Page): Promise<unknown> =>
  JSON.parse(await page.getByLabel("Configuration as JSON").inputValue());

test("a meter by the form, refused, tried, deployed", async () => {
  await using visit = await rig.visit("#/logs/acme/deploy");
  const { page } = visit;
  await visit.shows("Counts, sums and compares events");
  await visit.accessible();
  await page.getByRole("radio", { name: /^Meter/ }).check();
  await page.getByLabel("Name of the view").fill("tokens");
  const fields = form(page);
  await fields.getByRole("button", { name: "Add aggregations" }).click();
  await fields.getByLabel("aggregations 1", { exact: true }).fill("sum");
  await fields.getByRole("button", { name: "Add group_by" }).click();
  await fields.getByRole("button", { name: "Add to group_by" }).click();
  await fields.getByLabel("Name 1 of group_by").fill("model");
  await fields.getByLabel("group_by model", { exact: true }).fill("/model");
  await fields.getByLabel("value", { exact: true }).fill("tokens");
  await fields.getByText("It must match").waitFor();
  await fields.getByLabel("Kind of type").selectOption("list");
  await fields.getByLabel("type 1", { exact: true }).fill("call");
  await fields.getByLabel("resolution", { exact: true }).selectOption("day");
  await fields.getByLabel("query_gas", { exact: true }).fill("10000000x");
  await page.getByRole("button", { name: "Preview" }).click();
  await fields.getByText("A whole number belongs here.").waitFor();
  await fields.getByLabel("query_gas", { exact: true }).fill("20000000");
  assert.deepEqual(await json(page), {
    aggregations: ["sum"],
    group_by: { model: "/model" },
    value: "tokens",
    type: ["call"],
    resolution: "day",
    query_gas: 20000000,
  });

  // The server's refusal stands beside the configuration, and not elsewhere.
  await page.getByRole("button", { name: "Preview" }).click();
  const config = page.getByRole("region", { name: "Configuration", exact: true });
  await config.getByRole("alert").getByText("not a JSON Pointer").waitFor();
  await fields.getByRole("textbox", { name: "value", exact: true, description: /^It must match/ }).waitFor();
  assert.equal(await page.getByRole("alert").count(), 1);
  await visit.accessible();
  await visit.picture("deploy-refused");
  await fields.getByLabel("value", { exact: true }).fill("/tokens");
  await page.getByLabel("Gas", { exact: true }).fill("10");
  await page.getByRole("button", { name: "Preview" }).click();
  await visit.shows("It would halt.");
  await visit.shows(/ran out of gas/);
  await page.getByLabel("Gas", { exact: true }).fill("2,000,000,000");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await page.getByRole("region", { name: "Options" }).getByRole("alert").getByText(/gas/).first().waitFor();
  await page.getByLabel("Gas", { exact: true }).fill("");
  await page.getByLabel("Question").fill("group_by=model&window=day");
  await page.getByRole("button", { name: "Preview" }).click();
  await visit.shows("It folds all of the log, and answers this.");
  const answer = page.getByRole("region", { name: "Answer" });
  await answer.getByText('"sum": "7"').waitFor();
  assert.equal((await rig.tally.listViews("acme")).views.length, 0);
  await visit.accessible();
  await visit.picture("deploy");

  // What is typed as JSON is in the form, and what was tried before is said to be.
  const text = page.getByLabel("Configuration as JSON");
  await text.fill('{"aggregations": ["sum", "p99.9"], "value": "/tokens", "query_gas": 12345678');
  await form(page).getByText("once the JSON can be read").waitFor();
  await text.fill('{"aggregations": ["sum", "p99.9"], "value": "/tokens", "query_gas": 12345678}');
  await fields.getByLabel("aggregations 2", { exact: true }).waitFor();
  assert.equal(await fields.getByLabel("aggregations 2", { exact: true }).inputValue(), "p99.9");
  assert.equal(await fields.getByLabel("query_gas", { exact: true }).inputValue(), "12345678");
  await visit.shows("This was tried before the latest change above.");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await visit.titled("tokens");
  await page.locator(".standing").getByText("live").waitFor();
  const deployed = await rig.tally.getView("acme", "tokens");
  assert.equal(deployed.ready, "meter@1");
  assert.deepEqual(deployed.config, { aggregations: ["sum", "p99.9"], value: "/tokens", query_gas: 12345678 });

  // Again begins with what it has.
  await page.getByRole("link", { name: "Deploy a new version" }).click();
  await visit.titled("Deploy a view");
  assert.equal(await page.getByLabel("Name of the view").inputValue(), "tokens");
  assert.deepEqual(await json(page), deployed.config);
});

test("the examples of every ready view are shown by fields, and come out as they went in", async () => {
  const { views } = await rig.tally.listReadyViews();
  await using visit = await rig.visit();
  const { page } = visit;
  assert.ok(views.length >= 5);
  for (const view of views) {
    await visit.go(`#/logs/acme/deploy?ready=${view.name}`);
    await page.getByRole("radio", { name: new RegExp(`^${view.title}`), checked: true }).waitFor();
    const { examples = [] } = view.config as { examples?: unknown[] };
    for (const [i, example] of examples.entries()) {
      await page.getByRole("button", { name: examples.length === 1 ? "the example" : `example ${i + 1}` }).click();
      assert.deepEqual(await json(page), example);
      assert.equal(await form(page).locator("textarea, .config-doubt").count(), 0, "each part has a field of its own");
      // Every field is written anew with what it shows.
      const names = await form(page).locator("input[type=text], select").count();
      assert.ok(names > 0);
      for (let at = 0; at < names; at++) {
        const field = form(page).locator("input[type=text], select").nth(at);
        await field.evaluate((element) => element.dispatchEvent(new Event("input", { bubbles: true })));
        assert.deepEqual(await json(page), example, `${view.name}: field ${at}`);
      }
    }
    await page.getByLabel("Configuration as JSON").fill("{}");
    assert.deepEqual(await json(page), {});
  }
});

test("a quota is put together by its fields alone", async () => {
  await using visit = await rig.visit("#/logs/acme/deploy?ready=quota", { viewport: { width: 360, height: 740 } });
  const { page } = visit;
  const fields = form(page);
  await fields.getByRole("button", { name: "Add limits" }).click();
  await fields.getByLabel("limits 1 name", { exact: true }).fill("tokens");
  for (const name of ["aggregation", "value", "where"]) {
    await fields.getByRole("button", { name: `Add limits 1 ${name}` }).click();
  }
  await fields.getByLabel("limits 1 aggregation", { exact: true }).selectOption("sum");
  await fields.getByLabel("limits 1 value", { exact: true }).fill("/tokens");
  await fields.getByLabel("limits 1 window", { exact: true }).selectOption("month");
  await fields.getByLabel("limits 1 limit", { exact: true }).fill("1000000.50");
  await fields.getByLabel("Kind of limits 1 limit").selectOption("text");
  await fields.getByLabel("limits 1 limit", { exact: true }).fill("0.1000000000000000000001");
  await fields.getByLabel("limits 1 where 1 path", { exact: true }).fill("/model");
  await fields.getByRole("button", { name: "Add limits 1 where 1 is" }).click();
  await fields.getByLabel("Kind of limits 1 where 1 is").selectOption("yes or no");
  await fields.getByLabel("limits 1 where 1 is", { exact: true }).selectOption("yes");
  assert.deepEqual(await json(page), {
    limits: [
      {
        name: "tokens",
        window: "month",
        limit: "0.1000000000000000000001",
        aggregation: "sum",
        value: "/tokens",
        where: [{ path: "/model", is: true }],
      },
    ],
  });
  await visit.accessible();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing beyond the screen");
  await visit.picture("deploy-360");
  await page
    .getByLabel("Configuration as JSON")
    .fill('{"limits":[{"name":"a","window":"day","limit":12345678901234567890.5}]}');
  assert.equal(await fields.getByLabel("limits 1 limit", { exact: true }).inputValue(), "12345678901234567890.5");
  await fields.getByRole("button", { name: "Add limits 1 soft" }).click();
  assert.match(await page.getByLabel("Configuration as JSON").inputValue(), /12345678901234567890\.5/);
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await visit.titled("quota");
  await visit.shows(/decides on each event before it is appended/);
  const { config } = await rig.tally.getView("acme", "quota");
  assert.match(String((config as { limits: { limit: unknown }[] }).limits[0]?.limit), /^12345678901234567890\.5$/);
  await rig.tally.retireView("acme", "quota");
});

test("a refused configuration leads to the members that are refused", async () => {
  await using visit = await rig.visit("#/logs/acme/deploy?ready=quota");
  const { page } = visit;
  const fields = form(page);
  const focused = (label: string) =>
    page.waitForFunction((name) => document.activeElement?.getAttribute("aria-label") === name, label);
  const text = page.getByLabel("Configuration as JSON");
  await text.fill(
    '{"limits":[{"name":"a","window":"day","limit":"1,5"},{"name":"b~/","window":"day","limit":1,"group_by":{"x/y":"no"}}]}',
  );
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await focused("limits 1 limit");
  const limit = fields.getByRole("textbox", { name: "limits 1 limit", exact: true, description: /^It does not have/ });
  assert.equal(await limit.getAttribute("aria-invalid"), "true");
  const group = fields.getByLabel("limits 2 group_by x/y", { exact: true });
  assert.equal(await group.getAttribute("aria-invalid"), "true");
  assert.equal(await fields.locator("[data-refused]").count(), 3, "each member that is refused, and no other");
  await visit.accessible();
  await visit.picture("deploy-refused-members");

  // A member that is changed is refused no more, and the others are as they were.
  await limit.fill("15");
  await fields.locator("[data-refused]").nth(2).waitFor({ state: "detached" });
  assert.equal(await fields.locator("[data-refused]").count(), 2);

  // What is missing has its place too, and one that is no single field is led to as a whole.
  await text.fill('{"limits":[{"name":"a","limit":1}]}');
  await page.getByRole("button", { name: "Preview" }).click();
  await focused("limits 1 window");
  await text.fill('{"limits":[]}');
  await page.getByRole("button", { name: "Preview" }).click();
  await focused("limits");
  await fields.getByRole("group", { name: "limits", description: "It must have 1 or more." }).waitFor();
  await visit.accessible();
  assert.equal((await rig.tally.listViews("acme")).views.filter((one) => one.name === "quota").length, 0);
});

test("a module is dropped, refused where it is none, and deployed", async () => {
  const code = readFileSync(new URL("../../../../views/dist/rate_check.wasm", import.meta.url));
  const sha256 = createHash("sha256").update(code).digest("hex");
  await using visit = await rig.visit("#/logs/acme/deploy");
  const { page } = visit;
  const drop = async (name: string, content: Buffer) => {
    const transfer = await page.evaluateHandle(
      ([file, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
        const carried = new DataTransfer();
        carried.items.add(new File([bytes], file, { type: "application/wasm" }));
        return carried;
      },
      [name, content.toString("base64")] as const,
    );
    await page.locator(".drop").dispatchEvent("drop", { dataTransfer: transfer });
  };
  await visit.shows("drop a");
  await drop("<b>broken</b>.wasm", code.subarray(0, 300));
  const what = page.getByRole("region", { name: "What to deploy" });
  await what.getByRole("alert").waitFor();
  await drop("large.wasm", Buffer.alloc((4 << 20) + 1));
  await what.getByText("a module has 4 MiB at most").waitFor();
  await drop("<b>rate</b>.wasm", code);
  await what.getByText(sha256).waitFor();
  await what.getByText("<b>rate</b>.wasm").waitFor();
  assert.equal(await page.getByRole("group", { name: "Configuration as a form" }).count(), 0);
  await page.getByLabel("Name of the view").fill("rate");
  await page.getByRole("button", { name: "Preview" }).click();
  await visit.shows("It folds all of the log");
  await visit.accessible();
  await visit.picture("deploy-module");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await visit.titled("rate");
  assert.equal((await rig.tally.getView("acme", "rate")).module, sha256);

  // By the button too; what the server has is offered.
  await visit.go("#/logs/acme/deploy");
  await page
    .getByLabel("A module of your own")
    .setInputFiles({ name: "rate.wasm", mimeType: "application/wasm", buffer: code });
  await what.getByText(sha256).waitFor();
});

test("a schema that means ill stays text, and freezes nothing", async () => {
  await using visit = await rig.visit();
  const { page } = visit;
  const evil = "<img src=x onerror=alert(1)>\u202e";
  const deep = { $ref: "#/$defs/deep" };
  const schema = {
    title: evil,
    description: evil,
    type: "object",
    required: ["deep", "__proto__"],
    properties: JSON.parse(
      JSON.stringify({
        deep,
        evil: { type: "string", description: evil.repeat(10_000), pattern: "(((", default: evil },
        loop: { $ref: "#/$defs/loop" },
        nowhere: { $ref: "#/$defs/none" },
        wide: { enum: Array.from({ length: 900 }, (_, i) => `${evil}${i}`) },
        tuple: { type: "array", prefixItems: [{ type: "string" }] },
        map: { type: "object", additionalProperties: { type: "number" } },
        odd: { type: 7, properties: "x" },
      }).replace('"odd"', '"__proto__":{"type":"string"},"odd"'),
    ) as unknown,
    $defs: { deep: { type: "object", required: ["deep"], properties: { deep } }, loop: { $ref: "#/$defs/loop" } },
    examples: [{ evil }],
  };
  await page.route("**/ready-views", async (route) => {
    const view = { name: "evil", title: evil, description: evil, gas: 1, versions: [], config: schema };
    // The text is made by hand: JSON.stringify leaves a member __proto__ of a literal out, and this one is the object's own.
    await route.fulfill({ contentType: "application/json", body: JSON.stringify({ views: [view] }) });
  });
  await visit.go("#/logs/acme/deploy?ready=evil");
  const fields = form(page);
  await fields.getByLabel("__proto__", { exact: true }).fill("own");
  assert.equal(await page.locator("article img").count(), 0);
  assert.equal(await page.getByLabel("Configuration as JSON").inputValue(), '{ "__proto__": "own" }');
  await fields.getByRole("button", { name: "Add deep" }).click();
  await fields.getByRole("button", { name: "Add map" }).click();
  await fields.getByRole("button", { name: "Add to map" }).click();
  await fields.getByLabel("Name 1 of map").fill("__proto__");
  await fields.getByRole("button", { name: "Add to map" }).click();
  await fields.getByLabel("Name 2 of map").fill("__proto__");
  await fields.getByText("This name is there already.").waitFor();
  await fields.getByLabel("Name 2 of map").fill("2");
  assert.match(await page.getByLabel("Configuration as JSON").inputValue(), /"map": \{ "2": 0, "__proto__": 0 \}/);
  assert.equal(await page.evaluate(() => Object.hasOwn(Object.prototype, "2")), false);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`m${i}`, evil])));
  await page.getByLabel("Configuration as JSON").fill(many);
  await fields.getByLabel("evil", { exact: true }).waitFor();
  await page.getByLabel("Configuration as JSON").fill(`{"deep":${"[".repeat(20_000)}${"]".repeat(20_000)}}`);
  await fields.getByText(/nested too deeply|once the JSON can be read/).waitFor();
  await page.getByLabel("Configuration as JSON").fill('{"evil": 5, "odd": [1], "tuple": ["a"]}');
  await fields.getByLabel("evil, as JSON", { exact: true }).fill('"text"');
  assert.deepEqual(await json(page), { evil: "text", odd: [1], tuple: ["a"] });
  await visit.accessible();
});
