import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** One step of the way to a page. */
export interface Crumb {
  name: string;
  href?: string;
}

/** A page: its title, the way to it, what can be done, and its content. It names the browser's tab too. */
export function Page(props: {
  title: string;
  crumbs?: Crumb[];
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${props.title} · Tallystick`;
  }, [props.title]);
  return (
    <article class="page">
      <header class="page-head">
        <div class="page-title">
          {props.crumbs && (
            <nav aria-label="Where you are" class="crumbs">
              {props.crumbs.map((crumb) => (
                <bdi key={crumb.name}>{crumb.href ? <a href={crumb.href}>{crumb.name}</a> : crumb.name}</bdi>
              ))}
            </nav>
          )}
          <h1>
            <bdi>{props.title}</bdi>
          </h1>
        </div>
        {props.actions && <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </article>
  );
}

/** A titled part of a page. `plain` leaves out the frame, as for tables that have one. */
export function Section(props: {
  title: string;
  note?: ComponentChildren;
  actions?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`section ${props.class ?? ""}`} aria-label={props.title}>
      <header class="section-head">
        <h2>{props.title}</h2>
        {props.note && <p class="note">{props.note}</p>}
        {props.actions && <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** A figure for a glance: what it is, its value, and a line beneath. */
export function Figure(props: {
  name: string;
  children: ComponentChildren;
  note?: ComponentChildren;
  tone?: "good" | "warn" | "bad";
}) {
  return (
    <div class={`figure ${props.tone ?? ""}`}>
      <dt>{props.name}</dt>
      <dd>
        <span class="figure-value">{props.children}</span>
        <span class="figure-note">{props.note ?? "\u00a0"}</span>
      </dd>
    </div>
  );
}

/** Names and values, one to a line. */
export function Facts(props: { rows: [name: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {props.rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Links to the parts of a thing; the current one is marked. */
export function Tabs(props: { name: string; tabs: { name: string; href: string; current: boolean }[] }) {
  return (
    <nav class="tabs" aria-label={props.name}>
      {props.tabs.map((tab) => (
        <a key={tab.name} href={tab.href} aria-current={tab.current ? "page" : undefined}>
          {tab.name}
        </a>
      ))}
    </nav>
  );
}
