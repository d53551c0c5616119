import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const name = "tallystick.theme";

function stored(): Theme {
  const value = localStorage.getItem(name);
  return value === "light" || value === "dark" ? value : "system";
}

export const theme = signal<Theme>(stored());

const dark = matchMedia("(prefers-color-scheme: dark)");
/** Whether the page is dark now: charts, which are drawn, need to know. */
export const isDark = signal(false);

function apply(): void {
  isDark.value = theme.value === "dark" || (theme.value === "system" && dark.matches);
  document.documentElement.dataset["theme"] = isDark.value ? "dark" : "light";
}

effect(() => {
  localStorage.setItem(name, theme.value);
  apply();
});
dark.addEventListener("change", apply);
