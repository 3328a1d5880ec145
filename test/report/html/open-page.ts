// A rendered page in the browser, with all that it says to the console and all that it asks the network for.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { TestBrowser } from './browser.js';

export interface OpenPage {
  readonly page: Page;
  readonly address: string;
  /** What the console was told, and errors that nobody caught. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export async function openPage(
  { browser, folder }: TestBrowser,
  text: string,
  options: BrowserContextOptions,
): Promise<OpenPage> {
  const path = join(folder, 'report.html');
  await writeFile(path, text);
  const address = pathToFileURL(path).href;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(address);
  return { page, address, complaints, requests, close: () => context.close() };
}
