import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Tally } from "@tallystick/client";
import { Rig, type Visit } from "./rig.js";

/** A product's own server: it has the page with the usage, and makes tokens for who is logged in there. */
class Product {
  readonly #server: Server;
  page = "";
  script = "";
  policy = "";
  /** How long its tokens are good, in seconds. */
  seconds = 900;
  tokens = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  static async start(token: (seconds: number) => Promise<string>): Promise<Product> {
    const server = createServer((request, response) => {
      if (request.url === "/token") {
        product.tokens++;
        token(product.seconds).then(
          (text) => response.end(text),
          () => response.writeHead(500).end(),
        );
        return;
      }
      const isScript = request.url === "/page.js";
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html; charset=utf-8");
      response.setHeader("Content-Security-Policy", product.policy);
      response.end(isScript ? product.script : request.url === "/" ? product.page : "");
    });
    const product = new Product(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    return product;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const docs = readFileSync(new URL("../../../../docs/embed.md", import.meta.url), "utf8");

/** The blocks of docs/embed.md in a language, for this server and a product. */
function samples(language: string, site: Product): string[] {
  return [...docs.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, block = ""]) =>
    block
      .replaceAll("https://metering.example.com", rig.server.url)
      .replaceAll("https://app.example.com", site.origin)
      .replaceAll("/my/usage-token", "/token"),
  );
}

const models = ["gpt-5", "<img src=x onerror=alert(1)>", "\u202eevil", "__proto__", "x".repeat(300)];

let rig: Rig;
let product: Product; // allowed by --cors-origin
let stranger: Product; // not

before(async () => {
  const makeToken = async (seconds: number): Promise<string> => {
    const made = await maker.createToken({ scopes: ["query"], logs: ["customer-1"], seconds });
    return made.token;
  };
  product = await Product.start(makeToken);
  stranger = await Product.start(makeToken);
  rig = await Rig.start({ args: ["--cors-origin", product.origin] });
  const { tally } = rig;
  await tally.ensureLog("customer-1");
  await tally.ensureLog("customer-2");
  await tally.appendEvents(
    "customer-1",
    models.map((model, n) => ({ type: "api.call", model, tokens: `12345678901234567890.${n + 1}` })),
  );
  await tally.deployView("customer-1", "tokens", {
    ready: "meter",
    config: { value: "/tokens", aggregations: ["sum", "count"], group_by: { model: "/model" } },
  });
  await tally.deployView("customer-1", "quota", {
    ready: "quota",
    config: {
      limits: [{ name: "calls", type: "api.call", window: "month", limit: 20 }],
      credits: { type: "none", value: "/cost" },
    },
  });
  await tally.appendEvents("customer-1", [{ type: "grant", grant: "welcome", amount: "1234.5" }]);
  const key = await tally.createKey({ name: "product", scopes: ["query"] });
  const maker = new Tally({ url: rig.server.url, key: key.key });
});

after(async () => {
  product.stop();
  stranger.stop();
  await rig[Symbol.asyncDispose]();
});

/** A page with a strict policy of its own, which lets it load and ask this one server; its script is that of docs/embed.md. */
function host(site: Product, body: string): void {
  const { url } = rig.server;
  site.policy =
    `default-src 'none'; script-src 'self' ${url}; connect-src 'self' ${url}; frame-src ${url}; base-uri 'none'; ` +
    "require-trusted-types-for 'script'; trusted-types 'none'";
  site.page =
    `<!doctype html><html lang="en"><head><title>Product</title></head><body><main><h1>Usage</h1>${body}</main>` +
    `<script type="module" src="/page.js"></script></body></html>`;
  site.script = samples("js", site).join("");
}

/** The element as docs/embed.md has it, with further attributes. */
function element(site: Product, attributes = ""): string {
  return (samples("html", site)[0] ?? "").replace("<tally-usage ", `<tally-usage ${attributes} `);
}

/** The frame as docs/embed.md has it, with further parameters. */
function frame(site: Product, parameters = ""): string {
  return (samples("html", site)[1] ?? "").replace("#view=", `#${parameters}view=`);
}

async function open(site: Product): Promise<Visit> {
  const visit = await rig.visit("", { url: site.origin, viewport: { width: 900, height: 700 } });
  return visit;
}

test("the element shows usage in a foreign page with a strict policy, exactly and live", async () => {
  host(product, element(product));
  await using visit = await open(product);
  const { page } = visit;
  await page.getByText("61,728,394,506,172,839,451.5").first().waitFor();
  await page.getByText("All numbers").click();
  await visit.shows("<img src=x onerror=alert(1)>");
  await visit.shows("\\u202eevil");
  assert.equal(await page.locator("tally-usage img").count(), 0);
  await visit.accessible();
  await visit.picture("embed-element");
  await rig.tally.appendEvent("customer-1", { type: "api.call", model: "late", tokens: 1 });
  await page.getByText("61,728,394,506,172,839,452.5").first().waitFor();
  assert.equal(await page.locator("tally-usage").getAttribute("token"), null);
});

test("in a frame it takes a token by message from its parent alone, and tells it its height", async () => {
  host(product, frame(product));
  await using visit = await open(product);
  const { page } = visit;
  const inner = page.frameLocator('iframe[title="Usage"]');
  await inner.getByText("61,728,394,506,172,839,452.5").first().waitFor();
  await page.waitForFunction("document.querySelector('iframe').height !== '400'");
  await visit.picture("embed-frame");
  // From any other window a token is not taken: this one would end the session.
  await page.evaluate("document.body.append(document.createElement('iframe'))");
  const other = page.frames().find((one) => one !== page.mainFrame() && !one.url().startsWith(rig.server.url));
  await other?.evaluate(`parent[0].postMessage({ type: "tally:token", token: "none" }, "${rig.server.url}")`);
  assert.ok(other);
  await rig.tally.appendEvent("customer-1", { type: "api.call", model: "late", tokens: 1 });
  await inner.getByText("61,728,394,506,172,839,453.5").first().waitFor();
});

test("a page of another origin can neither frame it nor load the element", async () => {
  host(stranger, frame(stranger) + element(stranger));
  const visit = await open(stranger);
  await visit.page.waitForLoadState("networkidle");
  assert.equal(await visit.page.evaluate("customElements.get('tally-usage') === undefined"), true);
  assert.ok(
    visit.faults.some((fault) => fault.includes("frame-ancestors")),
    visit.faults.join("\n"),
  );
  await visit.page.context().close();
});

test("a token that ends is renewed, and what is shown stays; one that is refused says so", async () => {
  host(product, element(product));
  product.seconds = 6;
  const before = product.tokens;
  await using visit = await open(product);
  await visit.page.getByText("61,728,394,506,172,839,453.5").first().waitFor();
  await until(() => product.tokens >= before + 3);
  await rig.tally.appendEvent("customer-1", { type: "api.call", model: "late", tokens: 1 });
  await visit.page.getByText("61,728,394,506,172,839,454.5").first().waitFor();
  product.seconds = 900;
  const ended = "token=eyJhbGciOiJFZERTQSJ9.e30.e30";
  await using alone = await rig.visit(`embed#view=tokens&log=customer-1&${ended}`);
  await alone.shows("no longer signed in");
  assert.equal(alone.page.url().includes("token="), false);
  await alone.accessible();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("it speaks four languages, takes colours, and shows quotas", async () => {
  const numbers = {
    de: ["61.728.394.506.172.839.454,5", "Gesamt"],
    fr: ["61\u202f728\u202f394\u202f506\u202f172\u202f839\u202f454,5", "Total"],
    es: ["61.728.394.506.172.839.454,5", "Total"],
    en: ["61,728,394,506,172,839,454.5", "Total"],
  };
  for (const [lang, [number = "", total = ""]] of Object.entries(numbers)) {
    host(product, element(product, `lang="${lang}" theme="dark"`));
    await using visit = await open(product);
    await visit.page.getByText(number).first().waitFor();
    await visit.shows(total);
  }
  const colors = "accent=%23ff0000&background=rgb(1,2,3)&text=url(x)&lang=de&";
  host(product, frame(product, colors));
  await using framed = await open(product);
  const inner = framed.page.frameLocator("iframe").locator("tally-usage");
  await inner.getByText("Gesamt").first().waitFor();
  assert.equal(await inner.getAttribute("style"), "--tally-accent: #ff0000; --tally-background: rgb(1,2,3);");
  const ground = await inner.evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(ground, "rgb(1, 2, 3)");
  host(product, element(product).replace('view="tokens"', 'view="quota"'));
  await using quota = await open(product);
  await quota.page.getByText("1,234.5").first().waitFor();
  await quota.page.getByRole("meter", { name: "calls" }).waitFor();
  await quota.accessible();
  await quota.picture("embed-quota");
});
