/** Ends after some time, or with the signal: then it throws the signal's reason. */
export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const abort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** The signal's reason, as an error. */
export function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException(`it was aborted: ${String(reason)}`, "AbortError");
}

/** A signal of a request: it fires with its parent, or when nothing came for as long as it is patient. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #abort = (): void => this.#controller.abort(reasonOf(this.#parent));
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether it was the time that ended it. */
  over = false;

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent;
    if (parent?.aborted) this.#abort();
    parent?.addEventListener("abort", this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits anew, for as many milliseconds. */
  wait(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (!Number.isFinite(milliseconds)) return;
    this.#timer = setTimeout(() => {
      this.over = true;
      this.#controller.abort(new DOMException(`nothing came for ${milliseconds / 1000} s`, "TimeoutError"));
    }, milliseconds);
  }

  /** Ends waiting; with `cut`, what goes on under the signal too. */
  end(cut = false): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#abort);
    if (cut) this.#controller.abort();
  }
}

const firstDelay = 100; // ms
const longestDelay = 10_000; // ms

/**
 * Milliseconds before try n+1, n from 0: anything up to a bound that doubles, so that clients that failed together do not come back
 * together.
 */
export function jitter(n: number): number {
  return Math.random() * Math.min(longestDelay, firstDelay * 2 ** n);
}
