import { Num, Status, Time } from "../../ui/values";
import { share } from "./decimals";
import { valueText } from "./meter";
import type { LimitRow } from "./quotaanswers";

const windows: Readonly<Record<string, string>> = {
  minute: "a minute",
  hour: "an hour",
  day: "a day",
  week: "a week",
  month: "a month",
  quarter: "a quarter",
  year: "a year",
};

/** One limit: how much of it is used, what is left, when it begins anew, and whether it was passed. */
export function LimitBar(props: { of: LimitRow }) {
  const { of } = props;
  const used = share(of.used, of.limit);
  const part = Number.isNaN(used) ? (of.used === "0" ? 0 : 1) : Math.max(0, used);
  const tone = part >= 1 ? "bad" : part >= 0.8 ? "warn" : "good";
  const groups = Object.entries(of.group ?? {});
  return (
    <article class="limit" aria-label={`Limit ${of.name}`}>
      <header class="limit-head">
        <h3>
          <bdi>{of.name}</bdi>
        </h3>
        {groups.map(([name, value]) => (
          <span key={name} class="label">
            <bdi>{name}</bdi> = <bdi>{valueText(value)}</bdi>
          </span>
        ))}
        {of.soft && <span class="label">soft</span>}
        {of.over > 0 && (
          <Status of="not_counted">
            {of.over} {of.over === 1 ? "event" : "events"} over it
          </Status>
        )}
      </header>
      <div
        class={`meter-bar ${tone}`}
        role="meter"
        aria-label={`Used of ${of.name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(100, Math.round(part * 100))}
        aria-valuetext={`${of.used} of ${of.limit}`}
      >
        <span style={{ width: `${Math.min(1, part) * 100}%` }} />
      </div>
      <p class="limit-numbers">
        <span>
          <Num of={of.used} /> <span class="dim">of</span> <Num of={of.limit} /> <span class="dim">used</span>
        </span>
        <span>
          <Num of={of.remaining} /> <span class="dim">left</span>
        </span>
      </p>
      <p class="note">
        {of.aggregation === "count" ? "Events" : of.aggregation === "sum" ? "Sum" : "Distinct values"}
        {of.rolling ? ` in any ${of.window}` : ` in ${windows[of.window] ?? of.window}`}
        {of.timezone && !of.rolling && ` of ${of.timezone}`}
        {of.resets_at !== null && (
          <>
            {of.rolling ? "; some of it is free again " : "; begins anew "}
            <Time at={of.resets_at} />
          </>
        )}
      </p>
    </article>
  );
}
