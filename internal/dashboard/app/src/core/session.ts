import { Tally, TallyError, type Answer } from "@tallystick/client";
import { computed, signal } from "@preact/signals";
import { watched } from "./connection";

/** What a key may do; each is a right of its own. */
export type Scope = "append" | "read" | "query" | "deploy" | "admin" | "operator";

export type Caller = Answer<"get-caller">;

/** Whether the viewer is in, and why not. */
export type Session =
  | { state: "opening" }
  | { state: "signed-out"; reason?: string }
  | { state: "open"; caller: Caller }
  | { state: "unreachable"; error: TallyError };

// The key is kept for the tab, and gone with it. It is never in an address, and in no storage that other tabs read.
const keyName = "tallystick.key";
const tenantName = "tallystick.tenant";

export const session = signal<Session>({ state: "opening" });

/** The client that all pages use: another one after each sign-in, or with another tenant. */
export const client = signal(newClient());

export const caller = computed(() => (session.value.state === "open" ? session.value.caller : undefined));

/** Whether the viewer's key has one of the scopes. */
export function may(...scopes: Scope[]): boolean {
  return scopes.some((scope) => caller.value?.scopes.includes(scope) ?? false);
}

function newClient(): Tally {
  const tenant = sessionStorage.getItem(tenantName) ?? undefined;
  const key = sessionStorage.getItem(keyName) ?? "";
  return new Tally({ url: location.origin, key, tenant, actor: "dashboard", deadline: 10_000, fetch: watched });
}

/** Opens the page with the key that the tab has, if any. */
export async function open(): Promise<void> {
  const tally = newClient();
  client.value = tally;
  try {
    const answer = await tally.getCaller();
    if (client.value === tally) session.value = { state: "open", caller: answer };
  } catch (error) {
    if (client.value !== tally || !(error instanceof TallyError)) return;
    if (error.code === "tenant_not_found") {
      await actIn(undefined);
    } else if (error.status === 401) {
      signOut(
        sessionStorage.getItem(keyName) === null ? undefined : "The server does not know this key, or no longer.",
      );
    } else {
      session.value = { state: "unreachable", error };
    }
  }
}

/** @throws {RangeError} for a text that no key is */
export async function signIn(key: string): Promise<void> {
  new Tally({ url: location.origin, key }); // throws before anything is kept
  sessionStorage.setItem(keyName, key.trim());
  sessionStorage.removeItem(tenantName);
  session.value = { state: "opening" };
  await open();
}

export function signOut(reason?: string): void {
  sessionStorage.removeItem(keyName);
  sessionStorage.removeItem(tenantName);
  client.value = newClient();
  session.value = reason === undefined ? { state: "signed-out" } : { state: "signed-out", reason };
}

/** The tenant that an operator acts in, unless it is the key's own. */
export const elsewhere = signal(sessionStorage.getItem(tenantName));

/** Acts in another tenant, for operators; in the key's own without one. */
export async function actIn(tenant: string | undefined): Promise<void> {
  if (tenant === undefined) sessionStorage.removeItem(tenantName);
  else sessionStorage.setItem(tenantName, tenant);
  elsewhere.value = tenant ?? null;
  await open();
}

/** What a page does with every failure: a key that has ended signs out, so that the viewer can go on with another. */
export function noticeFailure(error: unknown): void {
  if (error instanceof TallyError && error.status === 401 && session.value.state === "open") {
    signOut("The key has expired, or was revoked. Sign in with another; you come back to this page.");
  }
}
