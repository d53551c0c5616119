import { mkdirSync } from "node:fs";
import assert from "node:assert/strict";
import axeCore from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import type { Tally } from "@tallystick/client";
import { TallyServer } from "@tallystick/client/testing";

const screenshots = new URL("../../../../bin/screenshots/", import.meta.url).pathname;

/** A server, a browser, and pages of it. Everything ends with `await using`. */
export class Rig {
  readonly server: TallyServer;
  readonly tally: Tally;
  readonly #browser: Browser;

  private constructor(server: TallyServer, browser: Browser) {
    this.server = server;
    this.tally = server.client();
    this.#browser = browser;
  }

  static async start(options: { args?: readonly string[] } = {}): Promise<Rig> {
    const server = await TallyServer.start(options);
    try {
      const browser = await chromium.launch({
        executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", // Debian's package
        args: ["--no-sandbox", "--disable-gpu"], // as root there is no sandbox; the pages are ours
        timeout: 60_000,
      });
      return new Rig(server, browser);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.server.stop();
  }

  /**
   * Opens a page of the dashboard, as in a tab of its own: `#/logs/acme`. A fault of it, or what its policy forbids, fails the test when
   * the visit ends.
   */
  async visit(fragment = "", options: BrowserContextOptions & { url?: string } = {}): Promise<Visit> {
    const { url = this.server.url, ...context } = options;
    const tab = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      timezoneId: "Europe/Berlin",
      locale: "en-GB",
      ...context,
    });
    tab.setDefaultTimeout(30_000);
    const page = await tab.newPage();
    const visit = new Visit(page);
    await page.goto(`${url}/${fragment}`);
    return visit;
  }
}

/** A tab with the dashboard. */
export class Visit {
  readonly page: Page;
  /** What failed in it; a test that makes something fail takes that out. */
  readonly faults: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.faults.push(String(error)));
    page.on("console", (message) => {
      // Answers that are refused are shown, and the browser says them too.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        this.faults.push(message.text());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    assert.deepEqual(this.faults, []);
  }

  /** Goes to another page of the dashboard. */
  async go(fragment: string): Promise<void> {
    await this.page.evaluate((to) => (location.hash = to), fragment);
  }

  /** Waits until the page shows a text. */
  async shows(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Waits until there is a heading of the first order with this text. */
  async titled(title: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  }

  /** Fails for whatever axe finds against WCAG A and AA, in light and in dark. */
  async accessible(): Promise<void> {
    for (const scheme of ["light", "dark"] as const) {
      await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      const found = await axe(this.page);
      assert.deepEqual(found, [], `${scheme}: ${this.page.url()}`);
    }
    await this.page.emulateMedia({ colorScheme: "light" });
  }

  /** Keeps a picture of the page, for people to look at. */
  async picture(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: `${screenshots}${name}.png` });
  }
}

/** The page's policy keeps scripts out, so axe comes as a debugger's would. */
async function axe(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axeCore.source });
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then((found) => JSON.stringify(found.violations.map(
      (one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ") + " " + node.failureSummary).join("; "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  return JSON.parse(String(result.value)) as string[];
}
