// pars verify tells what a restore would heal from what is lost for good, by words and by exit code: on a local store
// from which copies are taken away.

import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ImageView } from '../../../introspect/memory/image-view.js';
import { labelNumbers, type PageLabel } from '../../../introspect/page-class.js';
import { exitCodeOfError, exitCodes } from '../../../src/cli/shared/exit-code.js';
import { verifyCommand } from '../../../src/cli/store/verify.js';
import type { Manifest } from '../../../src/manifest/types.js';
import { namedPolicies, type PolicyName } from '../../../src/plan/policy.js';
import { restoreSnapshot } from '../../../src/restore/restore-snapshot.js';
import { takeSnapshot } from '../../../src/snapshot/take-snapshot.js';
import { openStore } from '../../../src/store/open-store.js';
import { UnreachableCopies } from '../../../src/store/unreachable.js';
import { flatLines } from '../../../src/text/standard-streams.js';
import type { LossScenario } from '../../../src/verify/loss-scenarios.js';
import type { Risk } from '../../../src/verify/snapshot-risks.js';
import { flipStoredBit, LocalStoreFolder } from '../../e2e/local-store-folder.js';
import { healingFacts } from '../../restore/healing-facts.js';
import { withStore } from '../../store/local/disk-folders.js';

/** Pages of each, in this order. */
const pageCounts: readonly (readonly [PageLabel, number])[] = [
  ['anon', 64],
  ['free', 40],
  ['file-reread', 24],
  ['disk-held', 64],
];
const pageCount = 192;
const image = Buffer.alloc(pageCount * 4096, 'verified');
const firstHeldPage = pageCount - 64;

interface Stored {
  readonly folder: LocalStoreFolder;
  readonly manifest: Manifest;
  /** What verify prints, for people and for programs, and its exit code. */
  readonly verify: (readData?: boolean) => Promise<Verified>;
}

interface Verified {
  readonly exitCode: number;
  readonly text: string;
  readonly json: {
    readonly lostPageCount: number;
    readonly unreachableFiles: readonly string[];
    readonly scenarios: readonly LossScenario[];
    readonly risks: readonly Risk[];
  };
}

/** A snapshot with device state, in a pack for each window. */
async function withSnapshot(
  policy: PolicyName,
  use: (stored: Stored) => Promise<void>,
): Promise<void> {
  await withStore(async ({ store, url, folder }) => {
    const regions = [{ gpaStart: 0, sizeBytes: image.length, imageOffset: 0 }];
    const held = Uint32Array.from({ length: 64 }, (_, index) => firstHeldPage + index);
    const { manifest } = await takeSnapshot({
      store,
      memory: new ImageView(regions, (offset, target) => {
        target.set(image.subarray(offset, offset + target.length));
      }),
      map: {
        regions,
        labels: Uint8Array.from(
          pageCounts.flatMap(([label, count]) => Array<number>(count).fill(labelNumbers[label])),
        ),
        evidence: { kind: 'complete' },
        warnings: [],
        kernel: undefined,
        healing: healingFacts,
        diskHeld: {
          disks: [{ name: 'vda', sizeBytes: 2 ** 20 }],
          page: held,
          disk: new Uint8Array(held.length),
          offsetBytes: new Float64Array(held.length),
          hash: new Uint8Array(held.length * 16),
        },
      },
      policy: namedPolicies[policy].policy,
      vm: 'vm',
      state: { sizeBytes: 5, content: () => [Buffer.from('state')] },
      // Room for one window, so that the pages of a disk come into a pack of their own.
      blockSizeBytes: 512 * 1024,
    });
    const verify = async (readData = false): Promise<Verified> => {
      let text = '';
      let json: unknown;
      const exitCode = await verifyCommand(
        manifest.header.id,
        { store: url, readData },
        {
          signal: new AbortController().signal,
          onProgress: () => undefined,
          warn: () => undefined,
          print: (value, lines) => {
            json = JSON.parse(JSON.stringify(value));
            text = flatLines(lines()).join('\n');
          },
        },
      );
      return { exitCode, text, json: json as Verified['json'] };
    };
    await use({ folder: new LocalStoreFolder(folder), manifest, verify });
  });
}

/** The pack that holds the page, found by the manifest. */
function packOf({ spaces, frames, header }: Manifest, page: number): string {
  const { places } = spaces[0];
  const window = Math.floor(page / 64);
  const bit = page % 64;
  const place = [...places.window.keys()].find(
    (index) =>
      places.window[index] === window &&
      (((bit < 32 ? places.maskLow : places.maskHigh)[index] >>> (bit % 32)) & 1) === 1,
  );
  if (place === undefined) {
    throw new Error(`page ${page} is in no frame`);
  }
  return header.packs[frames.pack[places.frame[place]]].name;
}

function loseCopies(folder: LocalStoreFolder, name: string): void {
  folder.copiesOf(name).forEach((copy) => {
    rmSync(copy);
  });
}

const verdicts = ({ json }: Verified) => json.scenarios.map(({ verdict }) => verdict);

test('a whole snapshot resumes without any one disk, and without its single copies if a disk image is given', async () => {
  await withSnapshot('strict', async ({ verify }) => {
    const verified = await verify();
    expect(verified.exitCode).toBe(exitCodes.ok);
    expect(verified.text).toMatch(/ is whole; its data was not read/);
    expect(verified.json.scenarios.at(-1)).toMatchObject({
      without: 'single-copies',
      lostPageCount: 128,
      healedPageCounts: { filling: 40, rereading: 24, disk: 64 },
      verdict: 'resumes-with-disk',
    });
    expect(verdicts(verified)[0]).toBe('resumes');
    expect(verdicts(verified)).not.toContain('does-not-resume');
    expect(verified.json.risks.map(({ kind }) => kind)).toEqual([
      'reread-from-disk',
      'disk-stored-once',
      'shared-disk',
    ]);
    const widest = Math.max(...verified.text.split('\n').map((line) => line.length));
    expect(widest).toBeLessThanOrEqual(80);
  });
});

test('lost pages that restore heals are no loss of data', async () => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    loseCopies(folder, packOf(manifest, 64));
    const verified = await verify();
    expect(verified.exitCode).toBe(exitCodes.underReplicated);
    expect(verified.text).toMatch(
      /^64 pages of .* cannot be read back, and restore heals them all\n/,
    );
    expect(verified.json.lostPageCount).toBe(64);
    expect(verdicts(verified)[0]).toBe('resumes');
  });
});

test('pages on a disk that is not mounted are out of reach, and verify and restore agree on it', async () => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    const name = packOf(manifest, 64);
    const [copy] = folder.copiesOf(name);
    const disk = dirname(dirname(copy));
    // The pack of the pages that vda holds too has its one copy on any disk, on this one as well.
    const isHeldOut = folder
      .copiesOf(packOf(manifest, firstHeldPage))
      .every((held) => dirname(dirname(held)) === disk);
    renameSync(disk, `${disk}.unmounted`);
    mkdirSync(disk);
    const pageCountOut = isHeldOut ? 128 : 64;
    for (const readData of [false, true]) {
      const verified = await verify(readData);
      expect(verified.exitCode).toBe(exitCodeOfError.unavailable);
      expect(verified.text).toMatch(
        new RegExp(`^${pageCountOut} pages of .* cannot be reached now, and may be whole`),
      );
      expect(verified.json.unreachableFiles).toContain(name);
      // What giving them up would mean.
      expect(verdicts(verified)[0]).toBe(isHeldOut ? 'resumes-with-disk' : 'resumes');
    }
    const store = await openStore(folder.url);
    try {
      const out = join(folder.path, 'out');
      const request = { store, manifest, folder: out, allowLost: false };
      for (const allowLost of [false, true]) {
        await expect(restoreSnapshot({ ...request, allowLost })).rejects.toBeInstanceOf(
          UnreachableCopies,
        );
      }
      expect(existsSync(out)).toBe(false);
      const { lost } = await restoreSnapshot({ ...request, noHeal: true, healUnreachable: true });
      expect(lost.length).toBeGreaterThan(0);
      expect(new Set(lost.map(({ reason }) => reason))).toEqual(new Set(['unreachable']));
    } finally {
      await store.close();
    }
    rmdirSync(disk);
    renameSync(`${disk}.unmounted`, disk);
    expect((await verify(true)).exitCode).toBe(exitCodes.ok);
  });
});

test('damaged pages that restore heals are none either', async () => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    folder.copiesOf(packOf(manifest, 64)).forEach((copy) => {
      flipStoredBit(copy, 100);
    });
    expect((await verify()).exitCode).toBe(exitCodes.ok);
    const verified = await verify(true);
    expect(verified.exitCode).toBe(exitCodes.underReplicated);
    expect(verified.json.scenarios[0]).toMatchObject({
      lostPageCount: 64,
      healedPageCounts: { filling: 40, rereading: 24, disk: 0 },
      verdict: 'resumes',
    });
  });
});

test('pages that only a disk image has are lost to who gives none', async () => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    loseCopies(folder, packOf(manifest, firstHeldPage));
    const verified = await verify();
    expect(verified.exitCode).toBe(exitCodeOfError['data-lost']);
    expect(verified.text).toMatch(
      /64 of them healed only if restore is given --disk\n.*\n128-191 /,
    );
    expect(verdicts(verified)[0]).toBe('resumes-with-disk');
  });
});

test.each([
  ['critical pages', (manifest: Manifest) => packOf(manifest, 0)],
  ['the device state', ({ header }: Manifest) => header.attachments[0].name],
])('%s are lost for good', async (_, nameOf) => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    loseCopies(folder, nameOf(manifest));
    const verified = await verify();
    expect(verified.exitCode).toBe(exitCodeOfError['data-lost']);
    expect(new Set(verdicts(verified))).toEqual(new Set(['does-not-resume']));
    expect(verified.text).toMatch(/\nin every case: /);
  });
});

test('damaged critical pages are corrupt', async () => {
  await withSnapshot('strict', async ({ folder, manifest, verify }) => {
    folder.copiesOf(packOf(manifest, 0)).forEach((copy) => {
      const bytes = readFileSync(copy);
      flipStoredBit(copy, bytes.length - 1);
    });
    const verified = await verify(true);
    expect(verified.exitCode).toBe(exitCodeOfError.corrupt);
    expect(verified.text).toMatch(/64 of them for good\n/);
  });
});

test('pages that the policy left out are not lost, but the guest needs its disk', async () => {
  await withSnapshot('lean', async ({ verify }) => {
    const verified = await verify(true);
    expect(verified.exitCode).toBe(exitCodes.ok);
    expect(verified.text).toMatch(/ is whole, every page was read and checked\n/);
    expect(verified.json.scenarios[0]).toMatchObject({
      lostPageCount: 104,
      healedPageCounts: { filling: 40, rereading: 0, disk: 64 },
      verdict: 'resumes-with-disk',
    });
    expect(verified.json.risks.map(({ kind }) => kind)).toContain('disk-not-stored');
  });
});
