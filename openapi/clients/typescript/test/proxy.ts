import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What the proxy does with a request: passes it; loses its answer after the server gave it; lets nothing be heard of it; passes so many
 * bytes of its answer; or answers it by itself.
 */
export type Fault =
  "pass" | "lose" | "hang" | { bytes: number } | { status: number; headers?: Record<string, string>; body?: string };

/** A request as it came. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
  at: number;
}

/** A proxy in front of a server, with faults. It counts requests from 1. */
export class Proxy {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #target: URL;
  fault: (n: number, seen: Seen) => Fault;

  private constructor(target: string, fault: (n: number, seen: Seen) => Fault) {
    this.#target = new URL(target);
    this.fault = fault;
    this.#server = createServer((req, res) => void this.#handle(req, res));
  }

  static async start(target: string, fault: (n: number, seen: Seen) => Fault = () => "pass"): Promise<Proxy> {
    const proxy = new Proxy(target, fault);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = req;
    const seen = { method, path, headers, body: Buffer.concat(chunks), at: Date.now() };
    this.seen.push(seen);
    const fault = this.fault(this.seen.length, seen);
    if (fault === "hang") return;
    if (typeof fault === "object" && "status" in fault) {
      res
        .writeHead(fault.status, { "Content-Type": "application/problem+json", ...fault.headers })
        .end(fault.body ?? "{}");
      return;
    }
    const { hostname, port } = this.#target;
    const own = { ...headers, host: this.#target.host, "content-length": String(seen.body.length) };
    const forward = request({ hostname, port, method, path, headers: own }, (answer) => {
      if (fault === "lose") {
        answer.resume().on("end", () => res.destroy());
        return;
      }
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      if (fault === "pass") answer.pipe(res);
      else cut(answer, res, fault.bytes);
      res.on("close", () => answer.destroy());
    });
    forward.on("error", () => res.destroy());
    forward.end(seen.body);
  }
}

function cut(answer: IncomingMessage, res: ServerResponse, left: number): void {
  answer.on("data", (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    res.write(part, () => {
      if (left === 0) res.destroy();
    });
  });
  answer.on("end", () => res.end());
}

/** A problem as the server would give it. */
export function problem(status: number, code: string, more: Record<string, unknown> = {}, retryAfter?: string): Fault {
  const body = JSON.stringify({
    type: `urn:tallystick:problem:${code}`,
    title: "",
    status,
    code,
    detail: `no: ${code}`,
    ...more,
  });
  return retryAfter === undefined ? { status, body } : { status, body, headers: { "Retry-After": retryAfter } };
}
