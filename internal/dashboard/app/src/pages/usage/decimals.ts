import { ExactNumber } from "@tallystick/client";

/** A decimal number of any size: `units` × 10^-scale. */
interface Decimal {
  units: bigint;
  scale: number;
}

function parse(value: unknown): Decimal | undefined {
  if (typeof value === "bigint") return { units: value, scale: 0 };
  if (typeof value !== "number" && typeof value !== "string" && !(value instanceof ExactNumber)) return undefined;
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value.toString());
  if (!parts) return undefined;
  const [, sign = "", whole = "", fraction = ""] = parts;
  return { units: BigInt(sign + whole + fraction), scale: fraction.length };
}

function atScale({ units, scale }: Decimal, wanted: number): bigint {
  return units * 10n ** BigInt(wanted - scale);
}

function write({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  const sign = units < 0n ? "-" : "";
  return sign + digits.slice(0, digits.length - scale) + (scale > 0 && fraction !== "" ? `.${fraction}` : "");
}

/** The exact sum, as digits; what is no decimal number is left out. undefined where there is none. */
export function sum(values: Iterable<unknown>): string | undefined {
  let all: Decimal | undefined;
  for (const value of values) {
    const one = parse(value);
    if (!one) continue;
    if (!all) {
      all = one;
      continue;
    }
    const scale = Math.max(all.scale, one.scale);
    all = { units: atScale(all, scale) + atScale(one, scale), scale };
  }
  return all && write(all);
}

/** value × numerator / denominator, cut to `places` after the point: for forecasts, which are estimates. */
export function scaled(value: string, numerator: number, denominator: number, places: number): string | undefined {
  const one = parse(value);
  if (!one || denominator <= 0) return undefined;
  const scale = Math.max(one.scale, places);
  const units = (atScale(one, scale) * BigInt(Math.round(numerator))) / BigInt(Math.round(denominator));
  return write({ units: units / 10n ** BigInt(scale - places), scale: places });
}

/** How much of a whole a part is, from 0 on; NaN without a whole. */
export function share(part: unknown, whole: unknown): number {
  const [of, all] = [parse(part), parse(whole)];
  if (!of || !all || all.units === 0n) return NaN;
  const scale = Math.max(of.scale, all.scale);
  return Number((atScale(of, scale) * 1_000_000n) / atScale(all, scale)) / 1_000_000;
}

/** By how many percent a value is more than it was; undefined where that is no number. */
export function change(now: unknown, before: unknown): number | undefined {
  const grown = share(now, before);
  if (Number.isNaN(grown)) return undefined;
  const wasNegative = (parse(before)?.units ?? 0n) < 0n;
  return (wasNegative ? 1 - grown : grown - 1) * 100;
}
