// What must be put right if a capture does not come to its end, in the folder that it writes to: `journal.json`. Of what
// lies in QEMU, QEMU itself is asked; here is what it cannot tell.
//
// It outlives this process, not the machine: a VM does not either.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parsePeerJson } from '../../../introspect/peer-json.js';
import { replaceFile } from '../../host/durable-file.js';

export const journalFile = 'journal.json';

const journalSchema = z.object({
  version: z.literal(1),
  qmpPath: z.string(),
  /** QEMU's process, where it could be told. */
  pid: z.int().optional(),
  /** The host's threads of its vCPUs, and the CPU time they had together before the VM was stopped. */
  vcpuThreads: z.array(z.int()),
  vcpuTimeMs: z.number().optional(),
  /** Changes with every start of the machine. */
  bootId: z.string(),
  /**
   * `prepared`: nothing of the VM's own was touched, and no migration is ours. `stopping`: it may stand still because of
   * us. `running`: it runs again, but filters and jobs of ours may be in it.
   */
  phase: z.enum(['prepared', 'stopping', 'running']),
  /** The VM runs while it is saved (save-in-background.ts). */
  inBackground: z.boolean(),
  /** False when QEMU refused ours, so that one that is under way is somebody else's. */
  ownsMigration: z.boolean(),
  /** Settings of migrations as they were found, those that a capture changes. */
  capabilities: z.record(z.string(), z.boolean()),
  parameters: z.record(z.string(), z.unknown()),
});

export type Journal = z.infer<typeof journalSchema>;

export const currentBootId = (): string =>
  readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Whole or not at all. */
export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  await replaceFile(join(folder, journalFile), JSON.stringify(journal), { isLasting: false });
}

/** Undefined when there is none, or none that can be read: then nothing of the VM had been touched. */
export async function readJournal(folder: string): Promise<Journal | undefined> {
  const text = await readFile(join(folder, journalFile), 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  try {
    return journalSchema.parse(parsePeerJson(text));
  } catch {
    return undefined;
  }
}
