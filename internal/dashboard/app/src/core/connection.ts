import { signal } from "@preact/signals";

/** Since when the server has not been reached, in milliseconds; undefined while it is. */
export const lostSince = signal<number | undefined>(undefined);

/** Rises each time that the server is reached again: what a page shows may be old then. */
export const recoveries = signal(0);

/** Whether the page can be seen. While it cannot, it asks for nothing: browsers have few connections for all tabs together. */
export const visible = signal(!document.hidden);

document.addEventListener("visibilitychange", () => {
  visible.value = !document.hidden;
});

// A browser that has lost its network says so at once; requests may hang for long.
addEventListener("offline", lost);
addEventListener("online", () => {
  void fetch("/healthz", { cache: "no-store" }).then(reached, lost);
});

function lost(): void {
  lostSince.value ??= Date.now();
}

function reached(): void {
  if (lostSince.value === undefined) return;
  lostSince.value = undefined;
  recoveries.value++;
}

/** The platform's fetch, which notes whether the server is there. A server that is starting or stopping (502, 504) is not. */
export const watched: typeof fetch = async (input, init) => {
  try {
    const response = await fetch(input, init);
    if (response.status === 502 || response.status === 504) lost();
    else reached();
    return response;
  } catch (error) {
    if (!(init?.signal?.aborted ?? false)) lost();
    throw error;
  }
};
