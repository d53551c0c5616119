import type { Schemas } from "@tallystick/client";
import { exact } from "../core/format";
import { TextField } from "./form";

type Limits = Schemas["Limits"];
type LimitName =
  | "requests_per_second"
  | "events_per_second"
  | "bytes_per_second"
  | "streams"
  | "logs"
  | "views"
  | "patterns"
  | "state_bytes";

const ofKeys: [LimitName, string][] = [
  ["requests_per_second", "Requests a second"],
  ["events_per_second", "Events a second"],
  ["bytes_per_second", "Bytes a second"],
  ["streams", "Streams at a time"],
];

const ofTenants: [LimitName, string][] = [
  ...ofKeys,
  ["logs", "Logs"],
  ["views", "Views"],
  ["patterns", "Views on patterns"],
  ["state_bytes", "Bytes of state"],
];

/** Limits as they are typed; "" where there is none of one's own. */
export type LimitTexts = Partial<Record<LimitName, string>>;

export function textsOf(limits: Limits): LimitTexts {
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, String(value)]));
}

/** @throws {RangeError} for what is no number of the kind */
export function limitsOf(texts: LimitTexts): Limits {
  const limits: Limits = {};
  for (const [name, title] of ofTenants) {
    const text = texts[name]?.trim() ?? "";
    if (text === "") continue;
    if (!/^\d{1,15}$/.test(text))
      throw new RangeError(`${title}: a whole number, 0 for no limit, or nothing for none of its own.`);
    limits[name] = Number(text);
  }
  return limits;
}

/** Fields for limits, of a tenant or of a key. */
export function LimitFields(props: { of: "tenant" | "key"; value: LimitTexts; onInput: (value: LimitTexts) => void }) {
  return (
    <fieldset>
      <legend>Limits of its own</legend>
      <p class="hint">
        0 is no limit; nothing leaves it to {props.of === "tenant" ? "the server's default" : "its tenant's limits"}.
      </p>
      <div class="filters">
        {(props.of === "tenant" ? ofTenants : ofKeys).map(([name, title]) => (
          <TextField
            key={name}
            name={title}
            value={props.value[name] ?? ""}
            onInput={(text) => props.onInput({ ...props.value, [name]: text })}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** Limits in words. */
export function LimitList(props: { of: Limits }) {
  const own = ofTenants.flatMap(([name, title]) => {
    const value = props.of[name];
    return value === undefined ? [] : [`${title}: ${value === 0 ? "none" : exact(value)}`];
  });
  return <span>{own.length > 0 ? own.join(" · ") : <span class="dim">none of its own</span>}</span>;
}
