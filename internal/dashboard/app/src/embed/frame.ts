// The page at /embed, which a product's page shows in a frame: the element, with its options from the fragment of the address, and its
// token from there or from the page around it.

const options = ["log", "view", "lang", "theme", "range", "group-by", "show", "unit", "timezone"];
const colors = ["accent", "background", "text", "muted", "line"];

const style = new CSSStyleSheet();
style.replaceSync("html { color-scheme: light dark; background: transparent; } body { margin: 0; }");
document.adoptedStyleSheets = [style];

const element = document.createElement("tally-usage") as HTMLElement & { token: string };
let around: string | undefined; // the origin of the page around this one, which alone is listened to and told anything

/** Reads the fragment; a token in it is taken out of the address. */
function read(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  const token = given.get("token");
  if (token !== null) {
    given.delete("token");
    history.replaceState(null, "", `#${given.toString()}`);
  }
  for (const name of options) {
    const value = given.get(name);
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  document.documentElement.lang = given.get("lang") ?? "en";
  for (const name of colors) {
    const value = given.get(name) ?? "";
    if (CSS.supports("color", value)) element.style.setProperty(`--tally-${name}`, value);
    else element.style.removeProperty(`--tally-${name}`);
  }
  around = originOf(given.get("parent"));
  if (token !== null) element.token = token;
}

function originOf(text: string | null): string | undefined {
  try {
    return text === null ? undefined : new URL(text).origin;
  } catch {
    return undefined;
  }
}

function tell(message: object): void {
  if (around !== undefined && parent !== window) parent.postMessage(message, around);
}

addEventListener("message", (event: MessageEvent<unknown>) => {
  if (event.source !== parent || event.origin !== around) return;
  const { type, token } = Object(event.data) as { type?: unknown; token?: unknown };
  if (type === "tally:token" && typeof token === "string") element.token = token;
});

element.addEventListener("tally-token-needed", (event) => {
  const { reason } = (event as CustomEvent<{ reason: string }>).detail;
  tell({ type: "tally:token-needed", reason });
});

new ResizeObserver(() =>
  tell({ type: "tally:height", height: Math.ceil(element.getBoundingClientRect().height) }),
).observe(element);

addEventListener("hashchange", read);
read();
document.body.append(element);
