import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Another server on a database, which asks for keys, and can be stopped and started again at the same address. */
export class Second {
  readonly #database: string;
  #listen = "127.0.0.1:0";
  #process: ChildProcess | undefined;

  constructor(database: string) {
    this.#database = database;
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  async start(): Promise<void> {
    const flags = ["serve", "--database-url", this.#database, "--listen", this.#listen, "--allow-unsafe-database"];
    const child = spawn(process.env["TALLY_BINARY"] ?? "tally", flags, { stdio: ["ignore", "pipe", "ignore"] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /http:\/\/(127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address === undefined) continue;
      this.#listen = address;
      return;
    }
    throw new Error("the second server did not start");
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
