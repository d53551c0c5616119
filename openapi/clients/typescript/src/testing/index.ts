/**
 * Starts a server for tests, by the program `tally` and with a PostgreSQL of its own. For Node alone.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Tally } from "../client.js";
import type { TallyOptions } from "../options.js";

/** How a server is started. */
export interface ServerOptions {
  /**
   * The program. Default: the environment's `TALLY_BINARY`, else that of the npm package `@tallystick/server` where that is installed, else
   * `tally` in `PATH`.
   */
  binary?: string | undefined;
  /** More flags of `tally dev`, such as `--cors-origin`. */
  args?: readonly string[] | undefined;
  /** Milliseconds within which it must serve. Default: 120,000, since it may have to fetch PostgreSQL first. */
  timeout?: number | undefined;
}

const stopping = 30_000; // ms that a server may take to stop
const keptLines = 20; // of what it said, for the error

/**
 * A server that runs until it is stopped, or this process ends.
 *
 * ```ts
 * const server = await TallyServer.start();
 * const tally = server.client();
 * …
 * await server.stop();
 * ```
 */
export class TallyServer {
  /** Its address, such as `http://127.0.0.1:40213`. It asks for no keys. */
  readonly url: string;
  /** Its database, for SQL in tests: a connection URL of PostgreSQL's superuser. */
  readonly databaseUrl: string;
  /** Its process. */
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, { url, database_url, pid }: Address) {
    this.#process = process;
    this.url = url;
    this.databaseUrl = database_url;
    this.pid = pid;
  }

  /**
   * Starts a server with an empty database, on a free port of loopback.
   *
   * @throws {Error} where there is no program, or where it does not serve in time: with what it said
   */
  static async start({ binary, args = [], timeout = 120_000 }: ServerOptions = {}): Promise<TallyServer> {
    const program = binary ?? findProgram();
    const flags = ["dev", "--listen", "127.0.0.1:0", "--output", "json", "--temporary", "--until-stdin-ends", ...args];
    const child = spawn(program, flags, { stdio: ["pipe", "pipe", "pipe"] });
    const said: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > keptLines) said.shift();
    });
    try {
      const server = new TallyServer(child, await firstLine(child, timeout));
      release(child); // a test that forgets it ends all the same, and the server with it
      return server;
    } catch (cause) {
      child.kill("SIGKILL");
      throw new Error(explain(program, cause, said), { cause });
    }
  }

  /** A client of this server. */
  client(options: TallyOptions = {}): Tally {
    return new Tally({ url: this.url, key: "", ...options });
  }

  /** Stops it, and removes its database. May be called twice. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exit = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopping);
    child.stdin?.end();
    await exit;
    clearTimeout(timer);
  }

  /** Stops it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

interface Address {
  url: string;
  database_url: string;
  pid: number;
}

function firstLine(child: ChildProcess, timeout: number): Promise<Address> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it did not serve within ${timeout / 1000} s`)), timeout);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    child.once("error", fail);
    child.once("exit", (code, signal) => fail(new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
    if (child.stdout === null) return fail(new Error("it has no output"));
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(line) as Address);
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}

function release(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as { unref?: () => void } | null)?.unref?.();
}

function findProgram(): string {
  const given = process.env["TALLY_BINARY"];
  if (given) return given;
  for (const place of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      const { binaryPath } = createRequire(place)("@tallystick/server") as { binaryPath: () => string };
      return binaryPath();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return "tally";
}

function explain(program: string, cause: unknown, said: string[]): string {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
    return `there is no program ${program}: install the npm package @tallystick/server, or name the program by TALLY_BINARY`;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return [`${program} dev did not start: ${reason}`, ...said].join("\n");
}
