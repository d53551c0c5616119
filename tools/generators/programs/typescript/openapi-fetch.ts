// Appends by openapi-fetch, with the types that openapi-typescript makes.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [file = "", log = ""] = process.argv.slice(2);
const event: components["schemas"]["EventInput"] = JSON.parse(readFileSync(file, "utf8"));
const client = createClient<paths>({ baseUrl: process.env["TALLY_URL"]! });
const params = { path: { log } };
const one = await client.POST("/logs/{log}/append", { params, body: event });
const two = await client.POST("/logs/{log}/append_batch", { params, body: [event, event] });
if (one.error || two.error) throw new Error(JSON.stringify([one.error, two.error]));
