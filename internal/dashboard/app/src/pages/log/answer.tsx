import type { Schemas } from "@tallystick/client";
import { useEffect, useRef } from "preact/hooks";
import { exact, type Exact } from "../../core/format";
import { asTallyError, useResource } from "../../core/resource";
import { client } from "../../core/session";
import { Json } from "../../ui/json";
import { Loaded } from "../../ui/states";
import { Name, Num, Progress } from "../../ui/values";

const apart = 1_000; // ms between two questions while events come
const mostLimits = 6; // limits of a quota that are shown

type View = Schemas["View"];

/** What is asked of a view for today, by what kind of view it is. */
function todaysQuestion(view: View): Record<string, string> {
  if (kindOf(view) !== "meter") return {};
  const today = new Date();
  const two = (n: number) => String(n).padStart(2, "0");
  const from = `${today.getFullYear()}-${two(today.getMonth() + 1)}-${two(today.getDate())}`;
  return { from, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}

/** The ready view's name, without its version. */
export function kindOf(view: View): string {
  return (view.ready ?? "").split("@")[0] ?? "";
}

/** Today's answer of a view. It is asked again after each event, once a second at most. */
export function Answer(props: { log: string; view: View; head: number }) {
  const { log, view, head } = props;
  const question = todaysQuestion(view);
  const answer = useResource(
    async (signal) => {
      try {
        return await client.value.queryView(log, view.name, question, { signal });
      } catch (error) {
        // A view of one's own may take a question to be needed.
        if (asTallyError(error).status === 400) return { answer: undefined, text: "" };
        throw error;
      }
    },
    [log, view.name, view.version, question["from"]],
  );
  const asked = useRef({ head, at: 0 });
  useEffect(() => {
    if (head === asked.current.head) return;
    const wait = Math.max(0, asked.current.at + apart - performance.now());
    const timer = window.setTimeout(() => {
      asked.current = { head, at: performance.now() };
      answer.reload();
    }, wait);
    return () => window.clearTimeout(timer);
  }, [head]);
  return (
    <Loaded of={answer} lines={2}>
      {({ answer: value }) => {
        if (value === undefined) return <p class="note">Ask it on its own page: its answer takes a question.</p>;
        if (kindOf(view) === "meter" && isMeter(value)) return <MeterAnswer of={value} />;
        if (kindOf(view) === "quota" && isQuota(value)) return <QuotaAnswer log={log} view={view} of={value} />;
        return <Json name={`Answer of ${view.name}`} value={value} />;
      }}
    </Loaded>
  );
}

interface Meter {
  rows: Record<string, unknown>[];
  uncounted?: Exact;
}

function isMeter(value: unknown): value is Meter {
  return typeof value === "object" && value !== null && "rows" in value && Array.isArray(value.rows);
}

/** The totals of a meter since midnight. */
function MeterAnswer(props: { of: Meter }) {
  const { rows, uncounted } = props.of;
  const totals = Object.entries(rows[0] ?? {}).filter(([name]) => !["from", "to", "group"].includes(name));
  return (
    <dl class="log-answer">
      {totals.map(([name, value]) => (
        <div key={name}>
          <dt>{name} today</dt>
          <dd>{value === null ? <span class="dim">–</span> : <Num of={value as Exact} />}</dd>
        </div>
      ))}
      {totals.length === 0 && <p class="dim">Nothing was counted today.</p>}
      {uncounted !== undefined && exact(uncounted) !== "0" && (
        <div class="log-answer-warning">
          <dt>not counted</dt>
          <dd>
            <Num of={uncounted} />
          </dd>
        </div>
      )}
    </dl>
  );
}

interface Limit {
  name: string;
  window?: string;
  limit: string;
  used: string;
  group?: Record<string, unknown>;
}

interface Quota {
  limits?: Limit[];
  balance?: string;
  available?: string;
  reserved?: string;
  accounts?: unknown[];
}

function isQuota(value: unknown): value is Quota {
  return (
    typeof value === "object" && value !== null && ("limits" in value || "balance" in value || "accounts" in value)
  );
}

/** What is left of a quota: its balance, and how far each limit is used. */
function QuotaAnswer(props: { log: string; view: View; of: Quota }) {
  const { log, view, of } = props;
  const { config } = view;
  const limited = typeof config === "object" && config !== null && "limits" in config;
  const more = useResource(
    of.limits === undefined && limited
      ? (signal) => client.value.queryView<Quota>(log, view.name, { show: "limits" }, { signal })
      : undefined,
    [log, view.name, of],
  );
  const limits = of.limits ?? more.data?.answer.limits ?? [];
  const sums = Object.entries({ balance: of.balance, available: of.available, reserved: of.reserved });
  return (
    <>
      {of.balance !== undefined && (
        <dl class="log-answer">
          {sums.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Num of={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {of.accounts && (
        <p class="note">
          <Num of={of.accounts.length} /> accounts: their balances are on the page of usage.
        </p>
      )}
      {limits.slice(0, mostLimits).map((limit, i) => (
        <p key={i} class="log-limit">
          <Name of={[limit.name, ...Object.values(limit.group ?? {}).map(String)].join(" ")} />
          <Progress name={`Used of ${limit.name}`} of={Number(limit.used) / Number(limit.limit)}>
            <Num of={limit.used} /> of <Num of={limit.limit} />
            {limit.window !== undefined && <span class="dim"> a {limit.window}</span>}
          </Progress>
        </p>
      ))}
      {limits.length > mostLimits && (
        <p class="note">
          and <Num of={limits.length - mostLimits} /> more limits
        </p>
      )}
    </>
  );
}
