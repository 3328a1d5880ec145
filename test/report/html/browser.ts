// Headless Chromium as Debian packages it, for one test file, and a folder for its pages. Whoever starts it stops it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

export interface TestBrowser {
  readonly browser: Browser;
  /** Empty at first; gone once stopped. */
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startBrowser(): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'pars-browser-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    // By a pipe, with a profile that it removes itself, and without its sandbox, which refuses root: the pages are ours.
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', timeout: 60_000 });
    return {
      browser,
      folder,
      async stop() {
        try {
          await browser.close();
        } finally {
          await removeFolder();
        }
      },
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}
