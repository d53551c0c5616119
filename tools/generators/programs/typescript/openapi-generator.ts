// Appends by the client that OpenAPI Generator makes for fetch.
import { readFileSync } from "node:fs";
import { Configuration, EventsApi } from "./fetch/index.js";

const [file = "", log = ""] = process.argv.slice(2);
const event = JSON.parse(readFileSync(file, "utf8"));
const api = new EventsApi(new Configuration({ basePath: process.env["TALLY_URL"]! }));
await api.appendEvent({ log, requestBody: event });
await api.appendEvents({ log, requestBody: [event, event] });
