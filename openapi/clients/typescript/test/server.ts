import { after, before } from "node:test";
import { existsSync } from "node:fs";
import { TallyServer } from "../src/testing/index.js";
import { randomHex } from "../src/json.js";

/** The program that make build makes. */
export const built = new URL("../../../../../bin/tally", import.meta.url).pathname; // by make build

if (!process.env["TALLY_BINARY"] && existsSync(built)) process.env["TALLY_BINARY"] = built;

/** One server for the tests of a file. */
export function testServer(...args: string[]): { readonly url: string } {
  let server: TallyServer | undefined;
  before(async () => {
    server = await TallyServer.start({ args });
  });
  after(() => server?.stop());
  return {
    get url() {
      if (!server) throw new Error("the server is not there yet");
      return server.url;
    },
  };
}

/** A name that no test had before. */
export function fresh(name: string): string {
  return `${name}-${randomHex().slice(0, 12)}`;
}
