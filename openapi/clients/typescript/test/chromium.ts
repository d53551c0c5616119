import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";

const program = process.env["CHROMIUM"] ?? "/usr/bin/chromium"; // Debian's package

/** Why tests of pages are left out here; false where they are not. */
export const missing = existsSync(program)
  ? false
  : "Chromium is not installed here: install Debian's package chromium, or name it by CHROMIUM";

/** Starts a Chromium with a profile of its own, until use has ended. */
export async function inChromium(use: (context: BrowserContext) => Promise<void>): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "tally-chromium-"));
  let context: BrowserContext | undefined;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: program,
      args: ["--no-sandbox", "--disable-gpu"], // as root there is no sandbox; the page is ours
      timeout: 30_000,
    });
    await use(context);
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
