import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { link, route } from "./core/route";
import { actIn, caller, elsewhere, may, signOut, type Scope } from "./core/session";
import { theme, type Theme } from "./core/theme";

/** What the navigation leads to, and the scopes of which a key needs one. */
const places: { name: string; path: string[]; scopes: Scope[] }[] = [
  { name: "Overview", path: [], scopes: ["read", "query", "deploy", "admin"] },
  { name: "Logs", path: ["logs"], scopes: ["read", "deploy"] },
  { name: "Views", path: ["views"], scopes: ["deploy", "read", "query"] },
  { name: "Query", path: ["query"], scopes: ["query"] },
  { name: "Alerts", path: ["alerts"], scopes: ["query", "admin"] },
  { name: "Webhooks", path: ["webhooks"], scopes: ["admin"] },
  { name: "Keys", path: ["keys"], scopes: ["admin"] },
  { name: "Tenants", path: ["tenants"], scopes: ["operator"] },
  { name: "Audit log", path: ["audit-log"], scopes: ["admin"] },
];

/** What is around every page: the navigation, who one is, and light or dark. */
export function Shell(props: { children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const at = route.value.path[0] ?? "";
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        To the content
      </a>
      <header class="bar">
        <a class="brand" href="#/">
          <img src="/icon.svg" alt="" width={26} height={26} />
          <span>Tallystick</span>
        </a>
        <button type="button" class="menu" aria-expanded={open} aria-controls="places" onClick={() => setOpen(!open)}>
          Menu
        </button>
        <div id="places" class={open ? "places open" : "places"}>
          <nav aria-label="Pages" onClick={() => setOpen(false)}>
            {places
              .filter((place) => may(...place.scopes))
              .map((place) => (
                <a
                  key={place.name}
                  href={link(place.path)}
                  aria-current={at === (place.path[0] ?? "") ? "page" : undefined}
                >
                  {place.name}
                </a>
              ))}
          </nav>
          <Who />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Who() {
  const who = caller.value;
  return (
    <div class="who">
      {who && (
        <p>
          <span class="dim">Tenant</span> <bdi>{who.tenant}</bdi>
          {who.suspended && <strong> (suspended)</strong>}
          {who.key_name && (
            <>
              <br />
              <span class="dim">Key</span> <bdi>{who.key_name}</bdi>
            </>
          )}
        </p>
      )}
      <p class="row">
        <select
          aria-label="Colours"
          value={theme.value}
          onInput={(event) => (theme.value = event.currentTarget.value as Theme)}
        >
          <option value="system">As the system</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
        {who?.key_id !== undefined && (
          <button type="button" class="small" onClick={() => signOut()}>
            Sign out
          </button>
        )}
        {elsewhere.value !== null && (
          <button type="button" class="small" onClick={() => void actIn(undefined)}>
            Own tenant
          </button>
        )}
      </p>
      <p class="dim">
        <a href="/docs" target="_blank" rel="noopener">
          API
        </a>
      </p>
    </div>
  );
}
