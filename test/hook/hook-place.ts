// A hook to test: a spool and the stand-in's store in a temporary folder, and a context made of them.
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { exitMeaning } from '../../src/cli/hook/open.js';
import { parseConfig } from '../../src/hook/config.js';
import type { HookContext } from '../../src/hook/hook-context.js';
import { openLog } from '../../src/hook/observe/log.js';
import { HookMetrics } from '../../src/hook/observe/metrics.js';
import type { OfferedSnapshot } from '../../src/hook/take/offer.js';
import { openSpool } from '../../src/spool/spool.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';

export const standIn = fileURLToPath(new URL('stand-in-pars.mjs', import.meta.url));

const snapshotSchema = z.object({
  id: z.string(),
  vm: z.string(),
  created: z.string(),
  content: z.string(),
});

export interface Behaviour {
  readonly awayExitCode?: number;
  readonly exitCode?: number;
  readonly exitCodeByVm?: Readonly<Record<string, number>>;
  /** Around the moment when the snapshot comes into view. */
  readonly beforeMs?: number;
  readonly afterMs?: number;
  readonly forgetExitCode?: number;
}

export class HookPlace {
  readonly folder: string;
  readonly store: string;
  readonly spool: string;
  readonly textfile: string;
  readonly #temporary: TemporaryFolder;

  private constructor(temporary: TemporaryFolder) {
    this.#temporary = temporary;
    this.folder = temporary.path;
    this.store = join(temporary.path, 'store');
    this.spool = join(temporary.path, 'spool');
    this.textfile = join(temporary.path, 'pars.prom');
  }

  static async make(): Promise<HookPlace> {
    const place = new HookPlace(await makeTemporaryFolder());
    await mkdir(place.store);
    return place;
  }

  remove(): Promise<void> {
    return this.#temporary.remove();
  }

  /** More of pars.yaml. */
  configText(more = ''): string {
    return [
      `store: ${pathToFileURL(this.store).href}`,
      `metrics: {textfile: ${this.textfile}}`,
      more.includes('spool:') ? more : `spool: {path: ${this.spool}}\n${more}`,
    ].join('\n');
  }

  writeConfig(more = ''): string {
    const path = join(this.folder, 'pars.yaml');
    writeFileSync(path, this.configText(more));
    return path;
  }

  async context(
    more = '',
    changes: Partial<HookContext> = {},
  ): Promise<HookContext & { readonly logLines: readonly string[] }> {
    const config = parseConfig(this.configText(more), 'pars.yaml');
    const logLines: string[] = [];
    const log = openLog('debug', { write: (line) => logLines.push(line), isJournal: false });
    const spool = await openSpool(config.spool.path, config.spool);
    return {
      config,
      log,
      spool,
      metrics: new HookMetrics(spool, config.metrics.textfilePath, log),
      pars: [process.execPath, standIn],
      exitMeaning,
      captureVm: () => Promise.reject(new Error('no VM is captured here')),
      cleanUpCapture: () => Promise.resolve(),
      signal: new AbortController().signal,
      ...changes,
      logLines,
    };
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(join(this.store, 'behaviour.json'), JSON.stringify(behaviour));
  }

  /** A file of RAM, changed last at that time. */
  image(name: string, content: string, createdMs = Date.now()): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    utimesSync(path, createdMs / 1000, createdMs / 1000);
    return path;
  }

  offered(vm: string, image: string, changes: Partial<OfferedSnapshot> = {}): OfferedSnapshot {
    const createdMs = Math.trunc(statSync(image).mtimeMs);
    return { vm, image, disks: [], createdMs, source: 'test', link: false, ...changes };
  }

  /** What came into the store, in the order of the snapshots' moments. */
  stored(): readonly z.infer<typeof snapshotSchema>[] {
    return readdirSync(this.store)
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) => snapshotSchema.parse(jsonIn(join(this.store, name))))
      .toSorted((a, b) => (a.created < b.created ? -1 : 1));
  }

  /** Commands with their arguments. */
  calls(): readonly (readonly string[])[] {
    const path = join(this.store, 'calls');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    return lines.map((line) => z.array(z.string()).parse(JSON.parse(line)));
  }

  /** Uploads of one VM that ran at the same time. */
  overlapped(): boolean {
    return existsSync(join(this.store, 'overlaps'));
  }

  /** Names in a folder of the spool. */
  inSpool(folder: 'entries' | 'incoming' | 'leaving'): readonly string[] {
    const path = join(this.spool, folder);
    return existsSync(path) ? readdirSync(path) : [];
  }

  dropped(): readonly unknown[] {
    const path = join(this.spool, 'dropped.jsonl');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  }

  metrics(): string {
    return readFileSync(this.textfile, 'utf8');
  }
}

function jsonIn(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
