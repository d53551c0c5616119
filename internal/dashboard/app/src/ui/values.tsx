import type { ComponentChildren } from "preact";
import { ago, approximate, exact, rounded, when, zone, type Exact } from "../core/format";
import { now } from "../core/clock";

/** A time in the viewer's zone; in UTC, as the server sent it, on hover. */
export function Time(props: { at: string | undefined; relative?: boolean }) {
  if (props.at === undefined) return <span class="dim">–</span>;
  return (
    <time
      dateTime={props.at}
      title={`${props.at} (shown in ${zone})`}
      class={props.relative ? "time relative" : "time"}
    >
      {props.relative ? ago(props.at, now.value) : when(props.at)}
    </time>
  );
}

/** A number as the server sent it, digit by digit. `short` rounds it for a glance, with the exact value on hover. */
export function Num(props: { of: Exact | undefined; short?: boolean; unit?: string }) {
  if (props.of === undefined) return <span class="dim">–</span>;
  const digits = exact(props.of);
  return (
    <span class="num" title={props.short ? digits : undefined}>
      {props.short ? rounded(approximate(props.of)) : digits}
      {props.unit && <span class="unit">{` ${props.unit}`}</span>}
    </span>
  );
}

/** Text that others wrote: a name, a type, a label. It stays text, and right-to-left marks end with it. */
export function Name(props: { of: string; href?: string; mono?: boolean }) {
  const text = <bdi class={props.mono ? "mono name" : "name"}>{props.of}</bdi>;
  return props.href ? <a href={props.href}>{text}</a> : text;
}

/** The beginning of a hash; the whole of it on hover and when copied. */
export function Hash(props: { of: string }) {
  return (
    <code class="hash" title={props.of}>
      {props.of.slice(0, 12)}…
    </code>
  );
}

const tones: Readonly<Record<string, string>> = {
  live: "good",
  ok: "good",
  active: "good",
  delivered: "good",
  resolved: "good",
  applied: "good",
  building: "info",
  pending: "info",
  retrying: "info",
  not_yet: "info",
  halted: "bad",
  failed: "bad",
  dead: "bad",
  firing: "bad",
  revoked: "bad",
  suspended: "bad",
  not_counted: "warn",
  expired: "warn",
  disabled: "warn",
};

/** A state by its name, with a shape beside the colour for those who do not see it. */
export function Status(props: { of: string; children?: ComponentChildren }) {
  return <span class={`status ${tones[props.of] ?? "plain"}`}>{props.children ?? props.of.replaceAll("_", " ")}</span>;
}

/** How far something is, from 0 to 1. */
export function Progress(props: { name: string; of: number; children?: ComponentChildren }) {
  const share = Math.max(0, Math.min(1, props.of));
  return (
    <span class="progress">
      <progress aria-label={props.name} max={1} value={share} />
      <span class="num">{props.children ?? `${Math.floor(share * 100)} %`}</span>
    </span>
  );
}
