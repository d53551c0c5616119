import { readFile } from "node:fs/promises";
import { Tally, type Input, type TallyOptions } from "@tallystick/client";
import { AbstractStartedContainer, GenericContainer, Wait, type StartedTestContainer } from "testcontainers";

const apiPort = 8080;
const databasePort = 5432;
const databasePassword = "tally"; // the image's own: docs/dev-image.md
const startTimeout = 120_000; // ms, once the image is there; it takes a second, or many on a busy machine

/** A right of a key. */
export type Scope = "append" | "read" | "query" | "deploy" | "admin" | "operator" | (string & {});

/** A view to deploy: one that is built in, such as `meter`, or a file with a WebAssembly module; with its configuration. */
export type View = ({ ready: string } | { file: string }) & { config?: Input<"deploy-view">["config"] };

/**
 * Tallystick with its PostgreSQL, in one container.
 *
 * ```ts
 * const container = await new TallystickContainer("tallystick/dev")
 *   .withView("customer-*", "tokens", { ready: "meter", config: { value: "/tokens", aggregations: ["sum"] } })
 *   .withLog("customer-acme")
 *   .start();
 * const tally = container.getClient();
 * ```
 */
export class TallystickContainer extends GenericContainer {
  readonly #views: { logs: string; name: string; view: View }[] = [];
  readonly #logs: { name: string; labels: Record<string, string> }[] = [];
  readonly #keys: Scope[][] = [];

  constructor(image: string) {
    super(image);
    this.withExposedPorts(apiPort, databasePort)
      // Tests reach the server by whatever name their engine has.
      .withEnvironment({ TALLY_ALLOW_HOST: "*" })
      .withWaitStrategy(Wait.forHttp("/readyz", apiPort).forStatusCode(200).withReadTimeout(1000))
      .withStartupTimeout(startTimeout);
  }

  /** Deploys a view on all logs whose name matches a pattern, such as `customer-*` or `*`, from their first event on. */
  withView(logs: string, name: string, view: View): this {
    this.#views.push({ logs, name, view });
    return this;
  }

  /** Makes a log. */
  withLog(name: string, labels: Record<string, string> = {}): this {
    this.#logs.push({ name, labels });
    return this;
  }

  /**
   * Has the server ask for a key with each request, and makes one with these scopes. May be called more than once: `getKeys` has them in
   * that order, and `getClient` uses the first.
   *
   * @throws {RangeError} without a scope
   */
  withKey(...scopes: Scope[]): this {
    if (scopes.length === 0) throw new RangeError("a key needs scopes: append, read, query, deploy, admin, operator");
    this.#keys.push(scopes);
    this.withEnvironment({ TALLY_KEYS: "true" });
    return this;
  }

  /** Starts it, waits until the server is ready, and makes what was asked for: keys, views, logs. Where that fails, it is stopped. */
  override async start(): Promise<StartedTallystickContainer> {
    const started = await super.start();
    try {
      const keys: string[] = [];
      for (const [i, scopes] of this.#keys.entries())
        keys.push(await makeKey(started, `testcontainers-${i + 1}`, scopes));
      const container = new StartedTallystickContainer(started, keys);
      if (this.#views.length + this.#logs.length > 0) await this.#prepare(container);
      return container;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  async #prepare(container: StartedTallystickContainer): Promise<void> {
    const key =
      container.getKeys().length === 0 ? "" : await makeKey(container, "testcontainers-setup", ["append", "deploy"]);
    const tally = container.getClient({ key });
    for (const { logs, name, view } of this.#views) {
      const { config } = view;
      const what =
        "ready" in view ? { ready: view.ready } : { module: await tally.uploadModule(await readFile(view.file)) };
      await tally.deployViewPattern(name, config === undefined ? what : { ...what, config }, { logs });
    }
    for (const log of this.#logs) await tally.createLog(log);
  }
}

/** A running server. */
export class StartedTallystickContainer extends AbstractStartedContainer {
  readonly #keys: readonly string[];

  constructor(started: StartedTestContainer, keys: readonly string[]) {
    super(started);
    this.#keys = keys;
  }

  /** The server's address, such as `http://localhost:32768`. It is another one after a restart. */
  getUrl(): string {
    return `http://${authority(this.getHost())}:${this.getMappedPort(apiPort)}`;
  }

  /** The address of the server's PostgreSQL, for its superuser; another one after a restart. */
  getDatabaseUrl(): string {
    const address = `${authority(this.getHost())}:${this.getMappedPort(databasePort)}`;
    return `postgres://postgres:${databasePassword}@${address}/tally?sslmode=disable`;
  }

  /** The keys that `withKey` asked for, in that order. */
  getKeys(): readonly string[] {
    return this.#keys;
  }

  /** A client of the server, with the first key where there are keys. */
  getClient(options: TallyOptions = {}): Tally {
    return new Tally({ url: this.getUrl(), key: this.#keys[0] ?? "", ...options });
  }
}

/** A host as it is written in a URL. */
function authority(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Has the program in the container make a key: it needs none for that, as whoever has the database. */
async function makeKey(container: StartedTestContainer, name: string, scopes: readonly Scope[]): Promise<string> {
  const { exitCode, output } = await container.exec([
    "tally",
    "key",
    "create",
    "--name",
    name,
    "--scopes",
    scopes.join(","),
  ]);
  const key = output.split("\n").find((line) => line.startsWith("tally_"));
  if (exitCode !== 0 || key === undefined)
    throw new Error(`making a key with the scopes ${scopes.join(", ")}: ${output.trim()}`);
  return key.trim();
}
