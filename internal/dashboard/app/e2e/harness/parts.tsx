// A page of parts by themselves, for tests that want to know what a part does with much data. It is not in the dashboard.
import { render } from "preact";
import { Chart } from "../../src/ui/chart";
import "../../src/styles/base.css";
import "../../src/styles/parts.css";

declare global {
  interface Window {
    /** Draws so many points, and tells how many were drawn and how many milliseconds it took. */
    draw: (points: number, kind: "line" | "stacked") => Promise<{ drawn: number; ms: number }>;
  }
}

const main = document.getElementById("app");

window.draw = (points, kind) =>
  new Promise((resolve) => {
    const series = kind === "stacked" ? 4 : 1;
    const times = Array.from({ length: points / series }, (_, i) => 1_700_000_000 + 60 * i);
    const names = ["a", "b", "c", "d"].slice(0, series);
    const drawn = names.map((name, n) => ({ name, values: times.map((_, i) => 50 + 40 * Math.sin(i / 900 + n)) }));
    if (!main) return;
    render(null, main);
    const began = performance.now();
    const done = (count: number) => resolve({ drawn: count, ms: performance.now() - began });
    render(<Chart name="Much" times={times} series={drawn} kind={kind} onDrawn={done} />, main);
  });
