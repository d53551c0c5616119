import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { draw, parts } from "./parts.js";

test("a chart draws 100,000 points, as a line and stacked", async () => {
  await using page = await parts();
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await tab.goto(page.url);
    for (const kind of ["line", "stacked"] as const) {
      const { drawn } = await draw(tab, 100_000, kind);
      assert.equal(drawn, 100_000);
    }
    const painted = await tab.locator("canvas").evaluate((canvas) => {
      const { data } = (canvas as unknown as Canvas).getContext("2d").getImageData(0, 0, canvas.clientWidth, 200);
      return data.some((channel) => channel !== 0);
    });
    assert.ok(painted, "the canvas is empty");
  } finally {
    await browser.close();
  }
});

interface Canvas {
  getContext: (kind: "2d") => { getImageData: (...at: number[]) => { data: Uint8ClampedArray } };
}
