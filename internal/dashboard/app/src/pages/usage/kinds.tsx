import type { Schemas } from "@tallystick/client";
import type { FunctionComponent } from "preact";
import { AnyUsage } from "./any";
import { InvoiceUsage } from "./invoice";
import { MeterUsage } from "./meterusage";
import { QuotaUsage } from "./quota";

/** What shows the usage that a view of one kind has counted. */
export type UsageOf = FunctionComponent<{ log: string; view: Schemas["View"] }>;

/** The kinds of views whose answers are known, by the name of the ready view. */
const kinds: Readonly<Record<string, UsageOf>> = {
  meter: MeterUsage,
  quota: QuotaUsage,
  cost_by_team: InvoiceUsage,
};

/** @param ready the ready view with its version, such as meter@1; undefined for other modules */
export function usageOf(ready: string | undefined): UsageOf {
  const name = ready?.split("@")[0] ?? "";
  return (Object.hasOwn(kinds, name) ? kinds[name] : undefined) ?? AnyUsage;
}
