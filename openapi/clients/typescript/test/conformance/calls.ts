import {
  Tally,
  TallyError,
  type EventInput,
  type StoredEvent,
  type ViewAnswer,
  type WatchedAnswer,
} from "../../src/index.js";
import { WithText } from "./patterns.js";

/** Arguments of a call, by the names of the document. */
export type Arguments = Record<string, unknown>;

const bodyNames = ["event", "events", "body", "question"];
const ownNames: Record<string, string> = {
  idempotency_key: "idempotencyKey",
  expected_sequence: "expectedSequence",
  dry_run: "dryRun",
  last_event_id: "lastEventId",
};

/** What each operation is in this client: its id in camel case, with path parameters in order, the body, and options. */
const parameters: Record<string, string> = {
  "append-event": "log event",
  "append-events": "log events",
  "audit-view": "log view",
  "create-key": "body",
  "create-log": "body",
  "create-tenant": "body",
  "create-token": "body",
  "create-webhook": "body",
  "delete-alert": "alert",
  "delete-source": "source",
  "delete-webhook": "webhook",
  "deploy-view": "log view body",
  "deploy-view-pattern": "view body",
  "ensure-log": "log body",
  "explain-event": "log sequence",
  "get-activity": "",
  "get-alert": "alert",
  "get-caller": "",
  "get-checkpoint": "log",
  "get-checkpoint-key": "",
  "get-delivery": "webhook delivery",
  "get-event": "log sequence",
  "get-key": "key",
  "get-log": "log",
  "get-module": "sha256",
  "get-source": "source",
  "get-tenant": "tenant",
  "get-view": "log view",
  "get-view-pattern": "view",
  "get-webhook": "webhook",
  "list-alerts": "",
  "list-audit-log": "",
  "list-crossings": "alert",
  "list-deliveries": "webhook",
  "list-events": "log",
  "list-keys": "",
  "list-logs": "",
  "list-modules": "",
  "list-ready-sources": "",
  "list-ready-views": "",
  "list-source-versions": "source",
  "list-sources": "",
  "list-tenants": "",
  "list-view-patterns": "",
  "list-view-states": "",
  "list-view-versions": "log view",
  "list-views": "log",
  "list-webhooks": "",
  "preview-view": "log view body",
  "put-alert": "alert body",
  "put-module": "sha256 body",
  "put-source": "source body",
  "query-view": "log view question",
  "replay-dead-deliveries": "webhook",
  "replay-delivery": "webhook delivery",
  "replay-source": "source body",
  "resume-view": "log view body",
  "retire-view": "log view",
  "retire-view-pattern": "view",
  "revoke-key": "key",
  "rollback-view": "log view body",
  "rotate-key": "key body",
  "rotate-webhook-secret": "webhook",
  "send-events": "source body",
  "send-openmeter-events": "source body",
  "send-otlp-logs": "source body",
  "send-otlp-traces": "source body",
  "test-alert": "alert body",
  "test-source": "source body",
  "test-webhook": "webhook",
  "update-tenant": "tenant body",
  "update-webhook": "webhook body",
  "verify-log": "log",
  health: "",
  ready: "",
};

const iterators: Record<string, string> = {
  events: "log",
  logs: "",
  keys: "",
  modules: "",
  tenants: "",
  sources: "",
  "audit-log": "",
  "view-states": "",
  "view-versions": "log view",
  "source-versions": "source",
  alerts: "",
  crossings: "alert",
  webhooks: "",
  deliveries: "webhook",
  tail: "log",
  watch: "log view question",
};

/** Makes a call, and answers as the document does. */
export async function perform(tally: Tally, call: string, args: Arguments): Promise<unknown> {
  if (call === "batcher") return batch(tally, args);
  const names = parameters[call] ?? iterators[call];
  if (names === undefined) throw new Error(`this runner does not know the call ${call}`);
  const method = (tally as unknown as Record<string, unknown>)[camel(call)] as (...all: unknown[]) => unknown;
  const given = names.split(" ").filter((name) => name !== "");
  const positional = given.map((name) => args[name]);
  const result = method.call(tally, ...positional, options(call, args, given));
  if (parameters[call] !== undefined) return shown(call, await result);
  const taken: unknown[] = [];
  const most = Number(args["take"] ?? Infinity);
  for await (const item of result as AsyncIterable<unknown>) {
    if (call === "watch" && (item as WatchedAnswer).problem) continue;
    taken.push(shown(call, item));
    if (taken.length >= most) break;
  }
  return taken;
}

function camel(call: string): string {
  return call.replace(/-./g, (part) => part.charAt(1).toUpperCase());
}

function options(call: string, args: Arguments, given: string[]): Arguments {
  const rest = Object.entries(args).filter(([name]) => name !== "take" && !given.includes(name));
  const stray = rest.find(([name]) => bodyNames.includes(name));
  if (stray) throw new Error(`${call} takes no ${stray[0]}`);
  return Object.fromEntries(rest.map(([name, value]) => [ownNames[name] ?? name, value]));
}

/** An answer in the names of the document, with the texts of events. */
function shown(call: string, answer: unknown): unknown {
  if (answer === undefined) return null;
  if (call === "query-view") return (answer as ViewAnswer).answer;
  if (call === "get-event" || call === "events" || call === "tail") return event(answer as StoredEvent);
  if (call === "list-events") {
    const page = answer as { events: StoredEvent[] };
    return { ...page, events: page.events.map(event) };
  }
  return answer;
}

function event(stored: StoredEvent): unknown {
  return { ...stored, data: new WithText(stored.data, stored.raw) };
}

async function batch(tally: Tally, args: Arguments): Promise<unknown> {
  const given = (args["options"] ?? {}) as Record<string, number>;
  const failures: unknown[] = [];
  const batcher = tally.batcher({
    onFailure: (log, events, error) => failures.push({ log, events, error: problemOf(error) }),
    maxEvents: given["max_events"],
    maxBytes: given["max_bytes"],
    maxBuffer: given["max_buffer"],
    linger: given["linger"] === undefined ? undefined : given["linger"] * 1000,
  });
  for (const { log, event } of args["add"] as { log: string; event: EventInput }[]) await batcher.add(log, event);
  if (args["flush"] === true) await batcher.flush();
  await batcher.close({ deadline: 60_000 });
  return { failures, unsent: batcher.pending };
}

/** An error as cases describe it. */
export function problemOf(error: TallyError): Record<string, unknown> {
  return {
    status: error.status,
    code: error.code,
    detail: error.detail,
    head: error.head,
    sequence: error.sequence,
    line: error.line,
    log_id: error.logId,
    fields: error.fields,
    view: error.view,
    answer: error.answer,
    retry_after: error.retryAfter,
    request_id: error.requestId,
  };
}
