import type { GroupValue } from "./meter";

/** A limit and what of it is used; amounts are decimals. */
export interface LimitRow {
  name: string;
  group?: Record<string, GroupValue>;
  window: string;
  rolling?: boolean;
  limit: string;
  used: string;
  remaining: string;
  resets_at: string | null;
  aggregation: string;
  timezone?: string;
  over: number;
  soft: boolean;
}

export interface LimitsAnswer {
  at: string;
  limits: LimitRow[];
  next?: string;
}

export interface Balance {
  account?: Record<string, GroupValue>;
  balance: string;
  available: string;
  reserved: string;
  overdrawn: string;
  overdraft: string;
  uncharged: string;
  over: number;
  reservations: number;
  scopes: { scope: GroupValue; available: string }[];
}

/** One account's balance where accounts have no groups, else the accounts. */
export type BalanceAnswer = { at: string } & (
  (Balance & { accounts?: undefined }) | { accounts: Balance[]; next?: string }
);

export interface Grant {
  grant: GroupValue;
  status: string;
  sequence: number;
  priority: number;
  effective: string;
  expires: string | null;
  recurring?: string;
  renews?: string | null;
  scope?: GroupValue[];
  amount: string;
  left: string;
  reserved: string;
  used: string;
  lapsed: string;
}

export interface Reservation {
  reservation: GroupValue;
  sequence: number;
  amount: string;
  scope?: GroupValue;
  reserved_at: string;
  runs_out_at: string;
}

/** How many events, by reason. */
export type QuotaUncounted = Record<string, number>;

export function groupNames(groups: object | undefined): string[] {
  return Object.keys(groups ?? {});
}

/** The parameters that name an account, or a group of a limit. */
export function parametersOf(group: Record<string, GroupValue> | undefined): Record<string, string> {
  const found: [string, string][] = [];
  const missing: string[] = [];
  for (const [name, value] of Object.entries(group ?? {})) {
    if (value === null) missing.push(name);
    else found.push([name, typeof value === "object" && "number" in value ? value.number : value.toString()]);
  }
  if (missing.length > 0) found.push(["missing", missing.join(",")]);
  return Object.fromEntries(found);
}
