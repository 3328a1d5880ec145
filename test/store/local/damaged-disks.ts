// Stores on two to four disks of which one was away while names changed, and what chance does to their names and markers.

import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { openLocalStore } from '../../../src/store/local/local-store.js';
import { copies } from '../../../src/store/redundancy.js';
import type { Store } from '../../../src/store/store.js';

export const markerName = 'pars-disk.json';
const options = { redundancy: copies(9), blockSizeBytes: 2 ** 20 };

/** What the store of `makeAwayStore` holds in the end. */
export const finalContents = ['manifests/from', 'manifests/kept', 'manifests/new'];
export const finalNames = ['manifests/kept', 'manifests/new', 'manifests/to'];

export const foldersOf = (root: string, diskCount: number): readonly string[] =>
  Array.from({ length: diskCount }, (_, index) => path.join(root, `d${index + 1}`));

export const urlOf = (folders: readonly string[]): string => `file:///?disks=${folders.join(',')}`;

export async function makeStore(folders: readonly string[]): Promise<Store> {
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
  }
  return await openLocalStore(urlOf(folders), { initialiseDisks: true });
}

export async function put(store: Store, name: string): Promise<void> {
  await store.write(name, () => [Buffer.from(name)], options);
}

export async function allNames(store: Store): Promise<readonly string[]> {
  return (await store.list('manifests')).map((file) => file.name);
}

/** The last disk was away while a name was removed, one renamed and one added, and is there again; nobody has opened. */
export async function makeAwayStore(root: string, diskCount: number): Promise<readonly string[]> {
  const folders = foldersOf(root, diskCount);
  const store = await makeStore(folders);
  for (const name of ['kept', 'removed', 'from']) {
    await put(store, `manifests/${name}`);
  }
  const last = folders[diskCount - 1];
  await rename(last, `${last}.away`);
  await put(store, 'manifests/new');
  await store.remove('manifests/removed');
  await store.rename('manifests/from', 'manifests/to');
  await store.close();
  await rename(`${last}.away`, last);
  return folders;
}

/** As the markers were before they had a checksum. */
export async function makeMarkersOld(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const file = path.join(folder, markerName);
    const marker = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    delete marker['checksum'];
    delete marker['followers'];
    await writeFile(file, `${JSON.stringify({ ...marker, version: 1 }, null, 2)}\n`);
  }
}

/** Every file and folder below, with what is in the markers. */
export async function stateOf(root: string): Promise<string> {
  const files = (await readdir(root, { recursive: true })).sort();
  const markers = await Promise.all(
    files
      .filter((file) => file.endsWith(markerName))
      .map((file) => readFile(path.join(root, file))),
  );
  return files.join('\n') + markers.join('\n');
}

export interface Damage {
  readonly what: string;
  readonly inflict: (root: string) => Promise<void>;
  readonly undo: (root: string) => Promise<void>;
  readonly isOfName: boolean;
}

export interface Tally {
  cases: number;
  refused: number;
  right: number;
  /** All files are there and whole, one of them under the name that the damage made, on the only disk that decides. */
  renamed: number;
  /** What must not be: names that differ from those of `finalNames`, or a refusal that changed something. */
  readonly wrong: string[];
}

/**
 * Makes a copy of the store below `template` for each case, damages it, and opens it as users do. Right is the whole
 * list of names, or an error after which everything is as it was before.
 */
export async function tryDamages(
  template: string,
  diskCount: number,
  damages: readonly Damage[],
  scratch: string,
): Promise<Tally> {
  const tally: Tally = { cases: 0, refused: 0, right: 0, renamed: 0, wrong: [] };
  const waiting = [...damages];
  const work = async (worker: number): Promise<void> => {
    const root = path.join(scratch, `worker-${worker}`);
    let isFresh = false;
    for (let damage = waiting.pop(); damage !== undefined; damage = waiting.pop()) {
      tally.cases++;
      if (!isFresh) {
        await rm(root, { recursive: true, force: true });
        await cp(template, root, { recursive: true });
      }
      await damage.inflict(root);
      const before = await stateOf(root);
      const folders = foldersOf(root, diskCount);
      isFresh = false;
      try {
        const store = await openLocalStore(urlOf(folders));
        const names = await allNames(store);
        const contents: string[] = [];
        for (const name of names) {
          const sizeBytes = (await store.stat(name))?.sizeBytes ?? 0;
          contents.push(Buffer.from(await store.read(name, 0, sizeBytes)).toString());
        }
        const isComplete = contents.sort().join() === finalContents.join();
        if (names.join() === finalNames.join() && isComplete) {
          tally.right++;
        } else if (isComplete && damage.isOfName) {
          tally.renamed++;
        } else {
          tally.wrong.push(`${damage.what}: ${names.join(' ')}`);
        }
      } catch (error) {
        tally.refused++;
        if (!(error instanceof ParsError)) {
          tally.wrong.push(`${damage.what}: ${String(error)}`);
        }
        const after = await stateOf(root);
        if (after === before) {
          await damage.undo(root);
          isFresh = true;
        } else if (!keepsAll(before, after)) {
          tally.wrong.push(`${damage.what}: changed`);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: 24 }, (_, worker) => work(worker)));
  return tally;
}

/**
 * Every copy is still there, and every name that was: in its place or set aside. Something may have been changed before
 * the name in doubt was asked for.
 */
function keepsAll(before: string, after: string): boolean {
  const entriesOf = (state: string): readonly string[] =>
    state
      .split('\n')
      .filter((line) => /\/data\/|\/names\/.*=1,/.test(line))
      .map((line) => line.replace(/^(d\d+)\/names\/.*\/(=1,)/, '$1 $2'));
  const kept = new Set(entriesOf(after.replace(/\/set-aside\/[^/]*\//g, '/names/')));
  return entriesOf(before).every((entry) => kept.has(entry));
}

/** One damage for each bit of the marker of each disk in `diskNumbers`. */
export async function markerFlips(
  template: string,
  diskNumbers: readonly number[],
): Promise<readonly Damage[]> {
  const damages: Damage[] = [];
  for (const diskNumber of diskNumbers) {
    const file = path.join(`d${diskNumber}`, markerName);
    const bytes = await readFile(path.join(template, file));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      damages.push({
        what: `bit ${bit} of ${file} (${String.fromCharCode(bytes[bit >> 3])})`,
        inflict: async (root) => {
          const flipped = Buffer.from(bytes);
          flipped[bit >> 3] ^= 1 << (bit & 7);
          await writeFile(path.join(root, file), flipped);
        },
        undo: (root) => writeFile(path.join(root, file), bytes),
        isOfName: false,
      });
    }
  }
  return damages;
}

/** One damage for each bit of each name of a file or folder below `names`, as far as the flipped one can be a name. */
export async function nameFlips(
  template: string,
  diskNumbers: readonly number[],
): Promise<readonly Damage[]> {
  const damages: Damage[] = [];
  for (const diskNumber of diskNumbers) {
    const folder = `d${diskNumber}/names`;
    for (const file of await readdir(path.join(template, folder), { recursive: true })) {
      const name = Buffer.from(path.basename(file));
      for (let bit = 0; bit < name.length * 8; bit++) {
        const flipped = Buffer.from(name);
        flipped[bit >> 3] ^= 1 << (bit & 7);
        if (flipped.includes(0) || flipped.includes('/')) {
          continue;
        }
        const parent = path.join(folder, path.dirname(file));
        const target = (root: string): Buffer =>
          Buffer.concat([Buffer.from(`${path.join(root, parent)}/`), flipped]);
        damages.push({
          what: `bit ${bit} of ${folder}/${file}`,
          inflict: (root) => rename(path.join(root, folder, file), target(root)),
          undo: (root) => rename(target(root), path.join(root, folder, file)),
          isOfName: true,
        });
      }
    }
  }
  return damages;
}
