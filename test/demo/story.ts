// The demo itself, step by step: a machine's memory into a store and back, until the machine runs again.

import { join } from 'node:path';
import { z } from 'zod';
import { manifestName } from '../../src/catalog/names.js';
import { formatBytes, formatPercent } from '../../src/cli/shared/format.js';
import { openStore } from '../../src/index.js';
import { bootGuest, resumeGuest } from '../guest/guest.js';
import { bytesInFolder } from './bytes-in-folder.js';
import type { Cleanup } from './cleanup.js';
import { hdfsStore, localStore } from './demo-store.js';
import { contentsTable, expectSameContents } from './guest-contents.js';
import type { Narrator } from './narrator.js';
import { ParsCommand } from './pars-command.js';
import { placementTable } from './placement.js';
import { showSameFile } from './same-file.js';

/** What published work on page-aware replication saved, with guests and workloads of its own. */
const publishedSavingFraction = 0.539;

const ramSizeMib = 512;
const vmName = 'demo';

const classifyAnswer = z.object({
  saving: z.object({ nativeBytes: z.number(), savingFraction: z.number() }),
});
const listAnswer = z.array(z.object({ id: z.string() })).length(1);
const showAnswer = z.object({
  packs: z.array(z.object({ name: z.string(), replication: z.number() })),
  attachments: z.array(z.object({ name: z.string() })),
});

export interface StoryOptions {
  /** Everything is written below it. */
  readonly folder: string;
  /** Where the snapshot is kept: in a real HDFS by one of its protocols, or in folders. */
  readonly store: 'folders' | 'webhdfs' | 'hdfs';
  readonly narrator: Narrator;
  readonly cleanup: Cleanup;
  readonly signal: AbortSignal;
}

export async function tellStory(options: StoryOptions): Promise<void> {
  const { folder, store: kind, narrator, cleanup, signal } = options;

  narrator.title([
    'PARS: snapshots of a running machine, fewer copies of what nobody would miss',
    `Works in ${folder} and removes it at the end. Below, 'pars' is node dist/program/main.js.`,
  ]);

  const store = await narrator.step(
    kind === 'folders' ? 'Choose a store' : 'Start a real HDFS',
    kind !== 'folders'
      ? [
          'One NameNode and five DataNodes, each a JVM of its own, on this machine.',
          kind === 'webhdfs'
            ? 'Their Hadoop is unmodified: copies are set per file, through WebHDFS.'
            : "Their Hadoop is unmodified: copies are set per file, by HDFS's own protocols.",
        ]
      : [
          'Five folders stand for five disks: each file goes to as many of them as it has copies.',
          "With 'npm run demo -- --hdfs' it is a real HDFS with five DataNodes instead.",
        ],
    async () => {
      const opened = kind === 'folders' ? localStore(join(folder, 'store')) : await hdfsStore(kind);
      cleanup.add(() => opened.close());
      narrator.command(`export PARS_STORE='${opened.url}'`);
      return opened;
    },
  );
  const pars = new ParsCommand({ folder, storeUrl: store.url, narrator, signal });

  const { snapshot, before } = await narrator.step(
    `Boot a Linux guest with ${ramSizeMib} MiB, fill its memory, take a snapshot`,
    [
      'Its processes and a tmpfs hold random data, its page cache is full; in emulation that takes a while.',
      'Free pages are made to hold old data first: the zeros of a fresh guest would flatter every figure.',
    ],
    async () => {
      const guest = await bootGuest({ ramSizeMib, aged: true });
      cleanup.add(() => guest.close());
      const checksums = await guest.checksums();
      narrator.say(
        `It runs and has checksummed its files and memory: ${checksums.size} checksums.`,
      );
      const taken = await guest.snapshot(join(folder, 'snapshot'));
      narrator.say('Stopped; snapshot/ram holds its memory, snapshot/state its CPUs and devices.');
      // From here on the machine exists only as files.
      await guest.close();
      return { snapshot: taken, before: checksums };
    },
  );

  const planned = await narrator.step(
    'Label every page of its memory',
    [
      "PARS finds the guest kernel's own structures in the raw RAM and reads from them what each page is for.",
      'Expendable: free pages, and file cache that can be read again from the disk. All else is critical.',
    ],
    async () => {
      await pars.show('classify', 'snapshot/ram');
      const { saving } = await pars.ask(classifyAnswer, 'classify', 'snapshot/ram');
      narrator.result(
        `saved here: ${formatPercent(saving.savingFraction)}    ` +
          `published: ${formatPercent(publishedSavingFraction)}`,
      );
      narrator.say(
        'The published figure is for other guests under other workloads: a mark, not a like-for-like race.\n' +
          'Three copies and one save two thirds of what is expendable, so 66.7 % is the most there is.',
      );
      return saving;
    },
  );

  await narrator.step(
    'Store it',
    ['Critical pages are stored three times, expendable pages once.'],
    () => pars.show('upload', 'snapshot/ram', '--state', 'snapshot/state', '--name', vmName),
  );

  const { id, singlePacks } = await narrator.step(
    'See where it is',
    ['The store itself is asked which nodes hold a live copy of each block.'],
    async () => {
      const [listed] = await pars.ask(listAnswer, 'list');
      const { packs, attachments } = await pars.ask(showAnswer, 'show', listed.id);
      const opened = await openStore(store.url);
      try {
        const table = await placementTable(opened, store.nodes, [
          { title: 'critical packs', files: packs.filter(({ replication }) => replication > 1) },
          {
            title: 'expendable packs',
            files: packs.filter(({ replication }) => replication === 1),
          },
          {
            title: 'device state',
            files: attachments.map(({ name }) => ({ name, replication: 3 })),
          },
          { title: 'manifest', files: [{ name: manifestName(listed.id), replication: 3 }] },
        ]);
        narrator.table(table);
      } finally {
        await opened.close();
      }
      const diskBytes = store.nodes.reduce((sum, node) => sum + bytesInFolder(node.folder), 0);
      narrator.say(
        `All together ${formatBytes(diskBytes)}, compressed; ` +
          `three plain copies of the memory would take ${formatBytes(planned.nativeBytes)}.`,
      );
      const single = packs.filter(({ replication }) => replication === 1);
      return { id: listed.id, singlePacks: single.map(({ name }) => name) };
    },
  );

  await narrator.step(
    'Restore it',
    ['Every page is read back and checked, then compared with the memory that was stored.'],
    async () => {
      await pars.show('verify', id, '--read-data');
      await pars.show('restore', id, '--out', 'restored');
      narrator.command('sha256sum snapshot/ram restored/ram snapshot/state restored/state');
      await showSameFile(narrator, folder, 'snapshot/ram', 'restored/ram');
      await showSameFile(narrator, folder, 'snapshot/state', 'restored/state');
      narrator.good('identical, byte for byte');
    },
  );

  /** The guest from what was restored to that folder; its checksums must be those of before. */
  const runOn = async (folderName: string): Promise<ReadonlyMap<string, string>> => {
    const resumed = await resumeGuest(snapshot, {
      ramPath: join(folder, folderName, 'ram'),
      statePath: join(folder, folderName, 'state'),
    });
    cleanup.add(() => resumed.close());
    const after = await resumed.checksums();
    narrator.table(contentsTable(before, after));
    expectSameContents(before, after);
    await resumed.close();
    return after;
  };

  await narrator.step(
    'Let the restored machine run on',
    [
      'A new QEMU takes the restored memory and device state, and a copy of the disk as it was.',
      'The guest then checksums its files and memory once more.',
    ],
    async () => {
      const after = await runOn('restored');
      narrator.good(`all ${after.size} checksums of the guest are those of before`);
    },
  );

  await narrator.step(
    'Lose everything that was stored once',
    [
      'Each pack of expendable pages is deleted from the node that had it, behind the back of the store.',
      'The restore heals the guest: its kernel is made to read its page cache again from its disk.',
    ],
    async () => {
      await store.destroy(singlePacks);
      narrator.say(`${singlePacks.length} packs are gone.`);
      await pars.show('restore', id, '--out', 'healed');
      const after = await runOn('healed');
      narrator.good(`it runs on, and all ${after.size} checksums are those of before`);
    },
  );

  await narrator.step(
    'Clean up',
    ['The guest and the store are stopped; the folder goes when this program ends.'],
    () => cleanup.run(),
  );
  narrator.end('Every promise held.');
}
