import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Tally, TallyError, type TallyOptions } from "../src/index.js";
import { perform, problemOf, type Arguments } from "./conformance/calls.js";
import { mismatch, WithText } from "./conformance/patterns.js";
import { argument, isObject, substitute } from "./conformance/values.js";

interface Step {
  call: string;
  args?: Arguments;
  client?: { key?: string; proxy?: string; deadline?: number; timeout?: number };
  repeat?: number;
  until?: boolean;
  want?: unknown;
  error?: unknown;
  save?: Record<string, string>;
  start?: string;
}

interface Case {
  name: string;
  proxy?: string;
  steps: Step[];
}

const env = process.env;
const folder = env["CONFORMANCE_CASES"];
const patience = 30_000; // ms until a step with `until` must have passed

if (folder === undefined) {
  test("conformance", { skip: "run it by go run ./openapi/clients/conformance … -- npm run conformance" });
} else {
  const only = new RegExp(env["CONFORMANCE_ONLY"] ?? "");
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".json")) continue;
    for (const each of JSON.parse(readFileSync(join(folder, file), "utf8")) as Case[]) {
      if (only.test(each.name)) test(each.name, () => new Run(each).run());
    }
  }
}

/** One case, as it is run. */
class Run {
  readonly #case: Case;
  readonly #variables: Record<string, unknown>;
  readonly #started = new Map<string, Promise<unknown>>();

  constructor(each: Case) {
    this.#case = each;
    const run = env["CONFORMANCE_RUN"] ?? "";
    const name = `${each.name}-${run}`;
    this.#variables = { ...(JSON.parse(env["CONFORMANCE_VARIABLES"] ?? "{}") as object), run, log: name, name };
  }

  async run(): Promise<void> {
    for (const [n, step] of this.#case.steps.entries()) {
      try {
        for (let i = 0; i < (step.repeat ?? 1); i++) {
          this.#variables["i"] = i;
          await this.#perform(step);
        }
      } catch (cause) {
        throw new Error(`step ${n + 1}, ${step.call}: ${String(cause)}`, { cause });
      }
    }
    appendFileSync(env["CONFORMANCE_REPORT"] ?? "", `${this.#case.name}\n`);
  }

  async #perform(step: Step): Promise<void> {
    if (step.call === "$join") {
      await this.#started.get(String(step.args?.["step"]));
    } else if (step.call === "$wait") {
      await delay(Number(step.args?.["seconds"]) * 1000);
    } else if (step.call === "$restart") {
      const answer = await fetch(`${env["CONFORMANCE_CONTROL_URL"]}/restart?how=${String(step.args?.["how"])}`, {
        method: "POST",
      });
      assert.equal(answer.status, 204, await answer.text());
    } else if (step.start !== undefined) {
      const going = this.#once(step);
      going.catch(() => undefined); // it is told where it is joined
      this.#started.set(step.start, going);
    } else if (step.until) {
      await this.#until(step);
    } else {
      await this.#once(step);
    }
  }

  async #until(step: Step): Promise<void> {
    const end = Date.now() + patience;
    for (;;) {
      try {
        await this.#once(step);
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await delay(100);
      }
    }
  }

  /** Makes the call of a step, and compares. */
  async #once(step: Step): Promise<void> {
    const variables = { ...this.#variables };
    const client = this.#client(step, variables);
    const args = argument(step.args ?? {}, variables) as Arguments;
    const expected = step.error === undefined ? undefined : substitute(step.error, variables);
    let answer: unknown;
    try {
      answer = await perform(client, step.call, args);
    } catch (error) {
      if (!(error instanceof TallyError) || expected === undefined) throw error;
      assert.equal(mismatch(expected, problemOf(error)), undefined);
      this.#save(step, problemOf(error));
      return;
    }
    assert.equal(expected, undefined, "it should have failed");
    if ("want" in step) assert.equal(mismatch(substitute(step.want, variables), answer), undefined);
    this.#save(step, answer);
  }

  #client(step: Step, variables: Record<string, unknown>): Tally {
    const proxy = step.client?.proxy ?? this.#case.proxy ?? "direct";
    const options: TallyOptions = {
      url: proxy === "direct" ? env["TALLY_URL"] : env[`CONFORMANCE_${proxy.toUpperCase()}_URL`],
    };
    if (step.client?.key !== undefined) options.key = String(substitute(step.client.key, variables));
    if (step.client?.deadline !== undefined) options.deadline = step.client.deadline * 1000;
    if (step.client?.timeout !== undefined) options.timeout = step.client.timeout * 1000;
    return new Tally(options);
  }

  #save(step: Step, answer: unknown): void {
    for (const [name, pointer] of Object.entries(step.save ?? {})) {
      let found = answer;
      for (const part of pointer.split("/").slice(1)) {
        if (found instanceof WithText) found = found.value;
        const member = part.replaceAll("~1", "/").replaceAll("~0", "~");
        assert.ok(isObject(found) || Array.isArray(found), `nothing is at ${pointer}`);
        found = (found as Record<string, unknown>)[member];
      }
      assert.notEqual(found, undefined, `nothing is at ${pointer}`);
      this.#variables[name] = found;
    }
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
