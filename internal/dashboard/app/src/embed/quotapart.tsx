import { TallyError } from "@tallystick/client";
import { useEffect, useState } from "preact/hooks";
import { share } from "../pages/usage/decimals";
import { valueText } from "../pages/usage/meter";
import type { Balance, BalanceAnswer, Grant, LimitRow, LimitsAnswer } from "../pages/usage/quotaanswers";
import { instant } from "../pages/usage/zoned";
import { Note, type PartProps } from "./embedded";
import { useWatch } from "./session";
import { fill, type Language } from "./texts";

interface Told {
  limits: LimitRow[];
  balances: Balance[];
  grants: Grant[];
}

const pause = 1_500; // ms between two rounds of questions

/** What of a quota's limits and credits is used and left, as of now. */
export function QuotaPart(props: PartProps) {
  const { asked, language } = props;
  const { texts } = language;
  const [told, setTold] = useState<Told | undefined>(undefined);
  const [sequence, setSequence] = useState(0);
  const [isAway, setAway] = useState(false);
  const failed = (error: unknown) => {
    if (error instanceof TallyError && error.status === 401) asked.expired();
    else setAway(true);
  };
  useWatch<unknown>(asked.tally, asked.log, asked.view, { limit: 1 }, (item) => setSequence(item.sequence), failed);
  useEffect(() => {
    const ending = new AbortController();
    let timer = 0;
    const ask = () =>
      load(props, ending.signal).then(
        (all) => {
          setTold(all);
          setAway(false);
          timer = window.setTimeout(() => void ask(), 30_000); // limits begin anew and grants end without an event
        },
        (error: unknown) => {
          if (ending.signal.aborted) return;
          failed(error);
          timer = window.setTimeout(() => void ask(), 5_000);
        },
      );
    timer = window.setTimeout(() => void ask(), told ? pause : 0);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [asked.tally, sequence]);
  if (!told) return <Note text={isAway ? texts.unreachable : texts.loading} />;
  return (
    <>
      {isAway && <Note text={texts.unreachable} />}
      {told.limits.length === 0 && told.balances.length === 0 && <p class="quiet">{texts.empty}</p>}
      {told.balances.map((one) => (
        <Account key={JSON.stringify(one.account)} of={one} language={language} />
      ))}
      {told.grants.length > 0 && <Grants of={told.grants} language={language} />}
      {told.limits.length > 0 && (
        <div class="limits" role="group" aria-label={texts.limits}>
          {told.limits.map((one) => (
            <Limit key={JSON.stringify([one.name, one.group])} of={one} language={language} />
          ))}
        </div>
      )}
    </>
  );
}

async function load({ asked }: PartProps, signal: AbortSignal): Promise<Told> {
  const { tally, log, view } = asked;
  const ask = async <T,>(show: string): Promise<T | undefined> => {
    try {
      const question = { show, at: instant(Date.now()) };
      return (await tally.queryView<T>(log, view, question, { signal })).answer;
    } catch (error) {
      // A quota without limits, or without credits, refuses to be asked for them; one with many accounts, for grants.
      if (error instanceof TallyError && error.status === 400) return undefined;
      throw error;
    }
  };
  const limits = await ask<LimitsAnswer>("limits");
  const balance = await ask<BalanceAnswer>("balance");
  const one = balance && balance.accounts === undefined ? balance : undefined;
  const grants = one ? await ask<{ grants: Grant[] }>("grants") : undefined;
  return {
    limits: limits?.limits ?? [],
    balances: one ? [one] : (balance?.accounts ?? []),
    grants: grants?.grants ?? [],
  };
}

interface Of<T> {
  of: T;
  language: Language;
}

function groupOf(group: Balance["account"], none: string): string {
  return Object.values(group ?? {})
    .map((value) => valueText(value, none))
    .join(" · ");
}

function Account({ of, language }: Of<Balance>) {
  const { texts, number } = language;
  return (
    <dl class="figures">
      {of.account && <bdi class="account">{groupOf(of.account, texts.none)}</bdi>}
      {(["balance", "available", "reserved"] as const).map((name) => (
        <div key={name}>
          <dt>{texts[name]}</dt>
          <dd>{number(of[name])}</dd>
        </div>
      ))}
    </dl>
  );
}

function Grants({ of, language }: Of<Grant[]>) {
  const { texts, number } = language;
  const day = (at: string) => language.date(Date.parse(at), Intl.DateTimeFormat().resolvedOptions().timeZone, "day");
  return (
    <div class="table" tabIndex={0} role="region" aria-label={texts.credits}>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.credits}</th>
            <th scope="col">{texts.expires}</th>
            <th scope="col" class="right">
              {texts.available}
            </th>
          </tr>
        </thead>
        <tbody>
          {of.map((one) => (
            <tr key={one.sequence}>
              <td>
                <bdi>{valueText(one.grant, texts.none)}</bdi>
              </td>
              <td>{one.expires === null ? texts.never : day(one.expires)}</td>
              <td class="right">{fill(texts.of, number(one.left), number(one.amount))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Limit({ of, language }: Of<LimitRow>) {
  const { texts, number } = language;
  const used = share(of.used, of.limit);
  const part = Number.isNaN(used) ? (of.used === "0" ? 0 : 1) : Math.max(0, used);
  const said = fill(texts.of, number(of.used), number(of.limit));
  return (
    <div class="limit">
      <p class="limit-head">
        <bdi>{[of.name, groupOf(of.group, texts.none)].filter(Boolean).join(" · ")}</bdi>
        <span>{said}</span>
      </p>
      <div
        class={`bar ${part >= 1 ? "full" : ""}`}
        role="meter"
        aria-label={of.name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(100, Math.round(part * 100))}
        aria-valuetext={said}
      >
        <span style={{ width: `${Math.min(1, part) * 100}%` }} />
      </div>
      <p class="limit-head dim">
        <span>{fill(texts.left, number(of.remaining))}</span>
        {of.resets_at !== null && (
          <span>
            {fill(
              texts.resets,
              language.date(Date.parse(of.resets_at), Intl.DateTimeFormat().resolvedOptions().timeZone, "hour"),
            )}
          </span>
        )}
      </p>
    </div>
  );
}
