import { signal } from "@preact/signals";
import { visible } from "./connection";

/** The time, to the second, for what says how long ago something was. It stands still while the page cannot be seen. */
export const now = signal(Date.now());

setInterval(() => {
  if (visible.value) now.value = Date.now();
}, 1000);
