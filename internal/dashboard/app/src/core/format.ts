import { ExactNumber } from "@tallystick/client";

/** A number as the server sends it: nothing here rounds one, unless its name says so. */
export type Exact = number | bigint | ExactNumber | string;

/** The number's own digits, with thin spaces between thousands. What is no decimal number stays as it is. */
export function exact(value: Exact): string {
  const text = typeof value === "number" ? plain(value) : value.toString();
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!parts) return text;
  const [, sign = "", whole = "", fraction = ""] = parts;
  return sign.replace("-", "−") + whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") + fraction;
}

function plain(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}

/** The nearest double of a number, for charts and for sorting alone. */
export function approximate(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || typeof value === "string" || value instanceof ExactNumber)
    return Number(value.toString());
  return NaN;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A number rounded for a glance: 1.2K, 3.4M. Its exact value belongs beside it or on hover. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) < 10 && !Number.isInteger(value)) return value.toFixed(2);
  return Math.abs(value) < 10_000
    ? new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value)
    : compact.format(value);
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A span of milliseconds: "1.2 ms", "3 s", "5 min", "2 h". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} d`;
}

const local = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const localTime = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A time in the viewer's zone, to the second: 2026-11-28 14:03:09. */
export function when(time: string | Date): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : local.format(date);
}

/** The time of day alone, in the viewer's zone. */
export function timeOfDay(time: string | Date | number): string {
  return localTime.format(new Date(time));
}

/** How long ago: "12 s ago". */
export function ago(time: string | Date, now = Date.now()): string {
  const ms = now - new Date(time).getTime();
  if (ms < -1000) return `in ${duration(-ms)}`;
  return ms < 1000 ? "now" : `${duration(ms)} ago`;
}

/** The viewer's time zone, by its name. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
