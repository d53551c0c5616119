import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

interface Description {
  name: string;
  version: string;
}

/** A registry of npm's that serves the packed packages of a folder, and nothing else. */
export class Registry {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(folder: string): Promise<Registry> {
    const packages = new Map<string, { file: string; description: Description }>();
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".tgz"))) {
      const text = execFileSync("tar", ["-xzOf", join(folder, file), "package/package.json"], { encoding: "utf8" });
      const description = JSON.parse(text) as Description;
      packages.set(description.name, { file, description });
    }
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? "").slice(1);
      const found = packages.get(path);
      if (found)
        response.end(
          JSON.stringify(document(found.description, found.file, folder, `http://${request.headers.host}/`)),
        );
      else if (path.endsWith(".tgz") && !path.includes("/")) response.end(readFileSync(join(folder, path)));
      else response.writeHead(404).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Registry(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function document(description: Description, file: string, folder: string, base: string): unknown {
  const integrity = `sha512-${createHash("sha512")
    .update(readFileSync(join(folder, file)))
    .digest("base64")}`;
  const version = { ...description, dist: { tarball: base + file, integrity } };
  const { name } = description;
  return { name, "dist-tags": { latest: description.version }, versions: { [description.version]: version } };
}
