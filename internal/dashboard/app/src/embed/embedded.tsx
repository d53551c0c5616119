import { TallyError, type Tally } from "@tallystick/client";
import { useEffect, useState } from "preact/hooks";
import type { MeterAnswer } from "../pages/usage/meter";
import { dateText, dayAt } from "../pages/usage/zoned";
import { MeterPart } from "./meterpart";
import { QuotaPart } from "./quotapart";
import { isLasting, useSession, useWatch, type TokenReason } from "./session";
import { languageOf, type Language } from "./texts";

/** What is shown, as the attributes of the element say. */
export interface Options {
  server: string;
  log: string;
  view: string;
  lang: string;
  range: string;
  groupBy: string;
  show: string;
  unit: string;
  timezone: string;
  /** Changes when colours do: the chart reads them anew then. */
  look: string;
}

/** One log's usage for a product's customer, by a token that is for it. */
export function Embedded(props: { options: Options; token: string; need: (reason: TokenReason) => void }) {
  const { options, token } = props;
  const language = languageOf(options.lang);
  const { session, expired } = useSession(options.server, token, props.need);
  const [shown, setShown] = useState<typeof session | undefined>(undefined);
  useEffect(() => {
    if (session.state === "open") setShown(session);
  }, [session]);
  const open = session.state === "open" ? session : shown?.state === "open" ? shown : undefined;
  const { texts } = language;
  if (!open) {
    if (session.state === "waiting") return <Note text={token === "" ? texts.waiting : texts.loading} />;
    return (
      <Note text={texts[session.state === "open" ? "loading" : session.state]} isBad={session.state !== "expired"} />
    );
  }
  const log = options.log || open.caller.token?.logs[0];
  const view = options.view || open.caller.token?.views[0];
  return (
    <section lang={language.tag} aria-label={texts.value}>
      {session.state === "expired" && <Note text={texts.renewing} />}
      {session.state === "unreachable" && <Note text={texts.unreachable} />}
      {log && view ? (
        <Kind
          key={`${log}/${view}`}
          asked={{ tally: open.tally, log, view, expired }}
          options={options}
          language={language}
        />
      ) : (
        <Note text={texts.refused} isBad />
      )}
    </section>
  );
}

/** What the parts need to ask. */
export interface Asked {
  tally: Tally;
  log: string;
  view: string;
  expired: () => void;
}

export interface PartProps {
  asked: Asked;
  options: Options;
  language: Language;
}

export function Note(props: { text: string; isBad?: boolean }) {
  return (
    <p class={props.isBad ? "note bad" : "note"} role="status">
      {props.text}
    </p>
  );
}

type KindName = { kind: "meter"; zone: string; resolution: MeterAnswer["resolution"] } | { kind: "quota" | "other" };

/** Finds out what kind of view it is by what it answers: a token shows no configuration. */
function Kind(props: PartProps) {
  const { asked, language } = props;
  const [kind, setKind] = useState<KindName | undefined>(undefined);
  const [failure, setFailure] = useState<"refused" | "unreachable" | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  const isKnown = kind !== undefined;
  useEffect(() => {
    if (isKnown) return;
    const ending = new AbortController();
    let timer: number | undefined;
    kindOf(asked, ending.signal).then(setKind, (error: unknown) => {
      if (ending.signal.aborted) return;
      if (error instanceof TallyError && error.status === 401) return asked.expired();
      setFailure(isLasting(error) ? "refused" : "unreachable");
      if (!isLasting(error)) timer = window.setTimeout(() => setTurn((n) => n + 1), 5_000);
    });
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [asked.tally, turn, isKnown]);
  if (!kind) return <Note text={language.texts[failure ?? "loading"]} isBad={failure === "refused"} />;
  switch (kind.kind) {
    case "meter":
      return <MeterPart {...props} zone={kind.zone} resolution={kind.resolution} />;
    case "quota":
      return <QuotaPart {...props} />;
    case "other":
      return <AnyPart {...props} />;
  }
}

async function kindOf({ tally, log, view }: Asked, signal: AbortSignal): Promise<KindName> {
  const today = dateText(dayAt(Date.now(), "UTC"));
  try {
    const { answer } = await tally.queryView<Partial<MeterAnswer>>(log, view, { from: today, limit: 1 }, { signal });
    const { timezone, resolution } = answer;
    if (answer.tz_data !== undefined && timezone !== undefined && resolution)
      return { kind: "meter", zone: timezone, resolution };
  } catch (error) {
    if (!(error instanceof TallyError) || error.status !== 400) throw error;
  }
  const { answer } = await tally.queryView<Record<string, unknown> | null>(log, view, {}, { signal });
  const isQuota = ["limits", "balance", "accounts"].some((name) => Object.hasOwn(Object(answer) as object, name));
  return { kind: isQuota && Object.hasOwn(Object(answer) as object, "at") ? "quota" : "other" };
}

const longest = 20_000; // characters of an answer that is of no known kind

function AnyPart({ asked, language }: PartProps) {
  const [text, setText] = useState<string | undefined>(undefined);
  useWatch<unknown>(
    asked.tally,
    asked.log,
    asked.view,
    {},
    (item) => item.problem || setText(item.text),
    (error) => error instanceof TallyError && error.status === 401 && asked.expired(),
  );
  if (text === undefined) return <Note text={language.texts.loading} />;
  return (
    <pre tabIndex={0} dir="ltr">
      {text.length > longest ? `${text.slice(0, longest)}…` : text}
    </pre>
  );
}
