import type { Schemas } from "@tallystick/client";
import { useMemo } from "preact/hooks";
import { client } from "../../core/session";
import { Section } from "../../ui/page";
import { Empty, Loaded, Problem } from "../../ui/states";
import { Num } from "../../ui/values";
import { Credits } from "./credits";
import { LimitBar } from "./limitbar";
import { useAnswer, useFollowing } from "./live";
import { groupNames, type LimitsAnswer, type QuotaUncounted } from "./quotaanswers";
import { instant } from "./zoned";

const mostLimits = 200; // groups of limits that are shown

/**
 * What of a quota's limits and credits is used and left, as of now: what has run out or begun since the last event counts, so a new month
 * shows at its beginning. It is asked anew when the log grows, and as time goes by.
 */
export function QuotaUsage(props: { log: string; view: Schemas["View"] }) {
  const { log, view } = props;
  const settings = JSON.stringify(view.config);
  const config = useMemo(() => quotaConfig(view.config), [settings]);
  const { told, error } = useAnswer<null, unknown>(log, view.name, { limit: 1 }, null);
  const asked = { log, view: view.name, sequence: told?.sequence };
  return (
    <>
      {error && <Problem error={error} stale={told !== undefined} />}
      {config.limits && <Limits {...asked} />}
      {config.credits && <Credits {...asked} groups={config.accountGroups} />}
      <Uncounted {...asked} />
    </>
  );
}

function quotaConfig(config: unknown) {
  const { limits, credits } = (config ?? {}) as { limits?: unknown[]; credits?: { group_by?: object } };
  return {
    limits: (limits?.length ?? 0) > 0,
    credits: credits !== undefined,
    accountGroups: groupNames(credits?.group_by),
  };
}

/** A moment, for a question as of now. */
export function asOfNow(): { at: string } {
  return { at: instant(Date.now()) };
}

interface Asked {
  log: string;
  view: string;
  sequence: number | undefined;
}

function Limits({ log, view, sequence }: Asked) {
  const limits = useFollowing(
    async (signal) => {
      const question = { show: "limits", limit: mostLimits, ...asOfNow() };
      return (await client.value.queryView<LimitsAnswer>(log, view, question, { signal })).answer;
    },
    [log, view],
    sequence,
    { every: 15_000 },
  );
  return (
    <Section title="Limits">
      <Loaded of={limits} lines={4}>
        {({ limits: rows, next }) => (
          <>
            {rows.length === 0 && <Empty title="Nothing that is limited was used yet." />}
            <div class="limits">
              {rows.map((row) => (
                <LimitBar key={JSON.stringify([row.name, row.group])} of={row} />
              ))}
            </div>
            {next !== undefined && <p class="note">These are the first {mostLimits} groups of limits.</p>}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function Uncounted({ log, view, sequence }: Asked) {
  const left = useFollowing(
    async (signal) =>
      (await client.value.queryView<QuotaUncounted>(log, view, { show: "uncounted" }, { signal })).answer,
    [log, view],
    sequence,
  );
  const rows = Object.entries(left.data ?? {});
  if (rows.length === 0) return null;
  return (
    <Section title="Not counted" note="Events that are in the log, though the quota could not count them.">
      <ul class="plain">
        {rows.map(([reason, count]) => (
          <li key={reason}>
            <code>{reason}</code> <Num of={count} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
