// Real migration streams of a guest against its RAM: the same bytes, so the same labels.
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classify } from '../../introspect/label/classify.js';
import { findKernel } from '../../introspect/label/find-kernel.js';
import { openImage } from '../../introspect/memory/open-image-file.js';
import { copySparse } from '../guest/copy-sparse.js';
import { fixtureGuest } from '../guest/fixtures.js';
import { type Guest, resumeGuest } from '../guest/guest.js';
import type { SnapshotFixture } from '../guest/snapshot-fixture.js';

const guestBootTimeoutMs = 300_000;
const compareSizeBytes = 2 ** 20;

let fixture: SnapshotFixture;
let folder: string;
beforeAll(async () => {
  fixture = await fixtureGuest('aged');
  folder = mkdtempSync(join(tmpdir(), 'pars-streams-'));
}, guestBootTimeoutMs);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Offsets of the first pages that differ between the image and the raw RAM. */
async function differences(imagePath: string, ramPath: string): Promise<readonly number[]> {
  const image = openImage(imagePath);
  const ram = await open(ramPath);
  try {
    const [memory] = image.views;
    expect(memory.sizeBytes).toBe((await ram.stat()).size);
    const found = Buffer.alloc(compareSizeBytes);
    const expected = Buffer.alloc(compareSizeBytes);
    const different: number[] = [];
    for (let at = 0; at < memory.sizeBytes; at += compareSizeBytes) {
      memory.readImage(at, found);
      await ram.read(expected, 0, compareSizeBytes, at);
      if (!found.equals(expected)) {
        different.push(at);
      }
    }
    return different;
  } finally {
    image.close();
    await ram.close();
  }
}

function labelsOf(path: string) {
  const image = openImage(path);
  try {
    return classify(findKernel(image));
  } finally {
    image.close();
  }
}

async function withGuest(
  options: Parameters<typeof resumeGuest>[1],
  use: (guest: Guest) => Promise<void>,
): Promise<void> {
  const guest = await resumeGuest(fixture, options);
  try {
    await use(guest);
  } finally {
    await guest.close();
  }
}

test('a stream of a stopped guest has its RAM, and its labels byte for byte', async () => {
  const stream = join(folder, 'stopped');
  await withGuest({ paused: true }, async (guest) => {
    await guest.saveStream(stream);
    expect(await differences(stream, guest.ramPath)).toEqual([]);
    const fromRam = labelsOf(guest.ramPath);
    const fromStream = labelsOf(stream);
    expect(fromRam.evidence).toEqual({ kind: 'complete' });
    expect(fromStream.evidence).toEqual(fromRam.evidence);
    expect(Buffer.from(fromStream.labels).equals(fromRam.labels)).toBe(true);
  });
  rmSync(stream);
});

test('a stream of a running guest, with pages sent again and again, has the RAM that QEMU makes of it', async () => {
  const stream = join(folder, 'live');
  await withGuest({}, async (guest) => {
    // Its end is not waited for: the migration stops the guest.
    guest
      .command('while true; do dd if=/dev/urandom of=/tmp/busy bs=1M count=8; done')
      .catch(() => undefined);
    await guest.saveStream(stream);
    const { ram } = (await guest.qmp('query-migrate')) as { ram: { 'dirty-sync-count': number } };
    expect(ram['dirty-sync-count']).toBeGreaterThan(2);
  });
  // Not the source's own RAM: under emulation QEMU misses a few last writes of a guest that is stopped by a migration.
  await withGuest({ streamPath: stream, paused: true }, async (loaded) => {
    expect(await differences(stream, loaded.ramPath)).toEqual([]);
  });
  rmSync(stream);
});

// QEMU needs RAM in a file to be on a tmpfs for this, and the right to see the guest's writes (userfaultfd).
const sharedMemory = '/dev/shm';
const canTakeBackgroundSnapshots =
  statfsSync(sharedMemory).bavail * statfsSync(sharedMemory).bsize > 2 ** 30 &&
  (process.getuid?.() === 0 ||
    readFileSync('/proc/sys/vm/unprivileged_userfaultfd', 'utf8') === '1\n');

(canTakeBackgroundSnapshots ? test : test.skip)(
  'a background snapshot has the RAM of its first moment',
  async () => {
    const stream = join(folder, 'background');
    const ram = join(folder, 'ram');
    await withGuest({ paused: true, parentFolder: sharedMemory }, async (guest) => {
      await copySparse(guest.ramPath, ram);
      await guest.saveStream(stream, ['background-snapshot']);
    });
    expect(await differences(stream, ram)).toEqual([]);
    rmSync(stream);
  },
);
