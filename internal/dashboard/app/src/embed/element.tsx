import { render } from "preact";
import plotStyle from "uplot/dist/uPlot.min.css?inline";
import chartStyle from "../styles/chart.css?inline";
import ownStyle from "./embed.css?inline";
import { Embedded, type Options } from "./embedded";
import type { TokenReason } from "./session";

// The script's own address: the server that the element asks where it names no other.
const home = new URL(/* @vite-ignore */ ".", import.meta.url).href;

let style: CSSStyleSheet | undefined;

function sheet(): CSSStyleSheet {
  if (!style) {
    style = new CSSStyleSheet();
    style.replaceSync(plotStyle + chartStyle + ownStyle);
  }
  return style;
}

const attributes = ["server", "log", "view", "lang", "theme", "range", "group-by", "show", "unit", "timezone", "token"];

/**
 * `<tally-usage log="…" view="…">`: one log's usage, for a product's page. It takes a customer token by its property or attribute `token`, and
 * asks for one by the event `tally-token-needed`, whose `detail.reason` is `missing`, `expiring` or `expired`.
 */
export class TallyUsage extends HTMLElement {
  static readonly observedAttributes = attributes;
  readonly #root = this.attachShadow({ mode: "open" });
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #redraw = () => this.#draw();
  #token = "";

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [sheet()];
  }

  get token(): string {
    return this.#token;
  }

  /** The customer token. It is kept in memory alone. */
  set token(token: string) {
    this.#token = token.trim();
    this.#draw();
  }

  connectedCallback(): void {
    const early = Object.getOwnPropertyDescriptor(this, "token"); // set before the element was known
    if (early) {
      delete (this as { token?: string }).token;
      this.#token = String(early.value).trim();
    }
    this.#dark.addEventListener("change", this.#redraw);
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#dark.removeEventListener("change", this.#redraw);
    render(null, this.#root);
  }

  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    if (name === "token" && value !== null) {
      this.#token = value.trim();
      queueMicrotask(() => this.removeAttribute("token")); // what is in the document is read by more than needs it
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.isConnected) return;
    render(<Embedded options={this.#options()} token={this.#token} need={this.#need} />, this.#root);
  }

  #options(): Options {
    const of = (name: string) => this.getAttribute(name) ?? "";
    return {
      server: new URL(of("server") || home, document.baseURI).href,
      log: of("log"),
      view: of("view"),
      lang: of("lang") || (this.closest("[lang]")?.getAttribute("lang") ?? navigator.language),
      range: of("range"),
      groupBy: of("group-by"),
      show: of("show"),
      unit: of("unit"),
      timezone: of("timezone"),
      look: `${of("theme")} ${this.#dark.matches} ${of("style")}`,
    };
  }

  readonly #need = (reason: TokenReason): void => {
    this.dispatchEvent(new CustomEvent("tally-token-needed", { bubbles: true, composed: true, detail: { reason } }));
  };
}

if (!customElements.get("tally-usage")) customElements.define("tally-usage", TallyUsage);
