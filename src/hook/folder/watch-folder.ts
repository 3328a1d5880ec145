// Takes each snapshot that appears in a folder into the spool, once it is whole: it kept still for a while, nobody has it
// open for writing, and its format is complete. The files stay where they are.
import { type FSWatcher, watch } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { messageOf } from '../../flow/message-of.js';
import { diskError } from '../../host/disk-error.js';
import { shownFileName, textOfFileName } from '../../host/file-name.js';
import { isAbsent } from '../../spool/is-absent.js';
import { folderIdentity } from '../../vm/vm-identity.js';
import type { HookContext } from '../hook-context.js';
import { factsOf, factsText, type FileFacts } from '../take/adopt-file.js';
import { offerSnapshot } from '../take/offer.js';
import { type Candidate, candidatesOf, type FolderItem } from './folder-candidates.js';
import { fileKey, openForWriting } from './open-writers.js';
import { SeenFiles } from './seen-files.js';
import { Waker } from './waker.js';
import { nameOfVm, wholeFormat } from './whole-image.js';

export interface FolderRequest {
  readonly folder: string;
  /** The VM of all snapshots in the folder; where it is absent, each snapshot tells its own. */
  readonly vm: string | undefined;
  /** Which names are taken, whoever a file belongs to; absent: those of files of the folder's owner. */
  readonly names?: RegExp | undefined;
  /** How long a file must not have changed. */
  readonly settleMs: number;
  /** Files may be linked: their owner will not write into them again. */
  readonly link: boolean;
  /** Stay until the signal; else one look, over the settle time. */
  readonly stay: boolean;
  /** Called after snapshots were taken. */
  readonly onTaken: () => void;
}

export interface FolderResult {
  readonly taken: readonly { readonly name: string; readonly vm: string }[];
  /** What is not whole, or cannot be taken. */
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

interface Sighting {
  readonly facts: string;
  readonly sinceMs: number;
  /** Why it was not taken; not asked again before that time. */
  readonly refused?: { readonly reason: string; readonly untilMs: number };
}

/** Where the folder's events do not tell, such as on a network file system. */
const scanIntervalMs = 30_000;
/** A file that is being written gives events all the time. */
const minIntervalMs = 1000;
/** A full spool may have room again; a file that is no snapshot becomes one by changing. */
const retryDelayMs = 60_000;
const namelessReason = 'its name, or that of a file in it, is not UTF-8: rename it';

/** Throws when the folder cannot be read at the beginning. */
export async function watchFolder(
  hook: HookContext,
  request: FolderRequest,
): Promise<FolderResult> {
  const watcher = new FolderWatcher(
    hook,
    request,
    await SeenFiles.open(hook.spool, request.folder),
  );
  return await watcher.run();
}

class FolderWatcher {
  readonly #hook: HookContext;
  readonly #request: FolderRequest;
  readonly #seen: SeenFiles;
  readonly #sightings = new Map<string, Sighting>();
  readonly #taken: { name: string; vm: string }[] = [];

  constructor(hook: HookContext, request: FolderRequest, seen: SeenFiles) {
    this.#hook = hook;
    this.#request = request;
    this.#seen = seen;
  }

  async run(): Promise<FolderResult> {
    const { stay, settleMs, folder } = this.#request;
    const { signal, log } = this.#hook;
    await this.#scan();
    const waker = new Waker(signal);
    const events = stay ? watchEvents(folder, waker, log) : undefined;
    try {
      do {
        // Not to look again before anything can have settled; a timer may be early by a millisecond.
        const settledMs = settleMs + 1;
        await (stay
          ? waker.wait(
              Math.min(settledMs, minIntervalMs),
              this.#sightings.size > 0 ? settledMs : scanIntervalMs,
            )
          : waker.wait(settledMs, settledMs));
        if (!signal.aborted) {
          await this.#scanOrReport();
        }
      } while (stay && !signal.aborted);
    } finally {
      events?.close();
      waker.close();
    }
    return {
      taken: this.#taken,
      left: [...this.#sightings].map(([name, { refused }]) => ({
        name,
        reason: refused?.reason ?? 'it changed within the settle time',
      })),
    };
  }

  /** While it stays, a folder that is away for a moment is no reason to end. */
  async #scanOrReport(): Promise<void> {
    try {
      await this.#scan();
    } catch (error) {
      if (!this.#request.stay) {
        throw error;
      }
      if (!this.#hook.signal.aborted) {
        this.#hook.log.error('the folder cannot be looked at', { error: messageOf(error) });
      }
    }
  }

  async #scan(): Promise<void> {
    const { folder, settleMs } = this.#request;
    const { items, nameless } = await itemsOf(folder);
    const present = new Set(items.map(({ name }) => name));
    const nowMs = performance.now();
    const settled: { candidate: Candidate; facts: string; members: readonly FileFacts[] }[] = [];
    const names = new Set<string>(nameless);
    for (const name of nameless) {
      this.#refuse(name, '', namelessReason, 0);
    }
    for (const candidate of candidatesOf(items)) {
      const members = await factsOfMembers(folder, candidate);
      if (members !== undefined) {
        const facts = members.map(factsText).join(' ');
        const before = this.#sightings.get(candidate.name);
        if (!this.#seen.has(candidate.name, facts)) {
          names.add(candidate.name);
          if (before?.facts !== facts) {
            this.#sightings.set(candidate.name, { facts, sinceMs: nowMs });
          } else if (
            nowMs - before.sinceMs >= settleMs &&
            nowMs >= (before.refused?.untilMs ?? 0)
          ) {
            settled.push({ candidate, facts, members });
          }
        }
      }
    }
    for (const name of this.#sightings.keys()) {
      if (!names.has(name)) {
        this.#sightings.delete(name);
      }
    }
    const written = await openForWriting(
      new Set(settled.flatMap(({ members }) => members.map(fileKey))),
    );
    const countBefore = this.#taken.length;
    for (const { candidate, facts, members } of settled) {
      if (this.#hook.signal.aborted) {
        break;
      }
      if (members.some((member) => written.has(fileKey(member)))) {
        this.#refuse(candidate.name, facts, 'a process has it open for writing', 0);
      } else {
        await this.#take(candidate, facts, members, present);
      }
    }
    if (this.#taken.length > countBefore) {
      this.#request.onTaken();
    }
  }

  /** What is taken are the files that `members` tell, in the order of the candidate's, and no others. */
  async #take(
    candidate: Candidate,
    facts: string,
    members: readonly FileFacts[],
    present: ReadonlySet<string>,
  ): Promise<void> {
    const { folder, link } = this.#request;
    const { name } = candidate;
    try {
      if (candidate.missing !== undefined) {
        throw new ParsError('image-invalid', `it lacks ${candidate.missing}`);
      }
      const path = join(folder, name);
      const format = wholeFormat(path, candidate);
      const vm = this.#request.vm ?? nameOfVm(path, name, format);
      const owner = await this.#expectTaken(vm, members);
      await offerSnapshot(this.#hook, {
        vm,
        identity: folderIdentity(await realpath(folder), owner),
        image: path,
        format,
        state: candidate.state === undefined ? undefined : join(folder, candidate.state),
        disks: [],
        createdMs: Number(members[0].mtimeNs / 1_000_000n),
        source: 'dir',
        link,
        checked: new Map(
          candidate.members.map((member, at) => [join(folder, member), members[at]] as const),
        ),
      });
      await this.#seen.add(name, facts, present);
      this.#sightings.delete(name);
      this.#taken.push({ name, vm });
    } catch (error) {
      if (!this.#hook.signal.aborted) {
        this.#refuse(name, facts, messageOf(error), performance.now() + retryDelayMs);
      }
    }
  }

  /**
   * Whoever can put a file into the folder names a VM by it, so names are taken as was stated, or of the folder's owner (and
   * root, and who runs this). Gives the owner of the files.
   */
  async #expectTaken(vm: string, members: readonly FileFacts[]): Promise<bigint> {
    const { folder, names, vm: stated } = this.#request;
    const owners = new Set(members.map(({ uid }) => uid));
    const [owner] = owners;
    if (owners.size > 1) {
      throw new ParsError('permission-denied', 'its files belong to several users');
    }
    if (names !== undefined && !names.test(vm)) {
      throw new ParsError(
        'permission-denied',
        `${vm} is no name that --names allows in this folder`,
      );
    }
    const { uid: folderUid } = await factsOf(folder);
    const trusted = [folderUid, 0n, BigInt(process.getuid?.() ?? 0)];
    if (names === undefined && stated === undefined && !trusted.includes(owner)) {
      throw new ParsError(
        'permission-denied',
        `it belongs to the user ${owner}, not to the owner of the folder (${folderUid}): say with --vm NAME what the VM is ` +
          'called, or with --names PATTERN which names others may use',
      );
    }
    return owner;
  }

  /** Said once, until the file or the reason is another. */
  #refuse(name: string, facts: string, reason: string, untilMs: number): void {
    const before = this.#sightings.get(name);
    if (before?.facts !== facts || before.refused?.reason !== reason) {
      this.#hook.log.warn('a file in the folder is not taken', { name, reason });
    }
    this.#sightings.set(name, {
      facts,
      sinceMs: before?.sinceMs ?? performance.now(),
      refused: { reason, untilMs },
    });
  }
}

interface FolderContent {
  readonly items: readonly FolderItem[];
  /** As they are shown: what text does not lead to, and folders that hold such files. */
  readonly nameless: readonly string[];
}

async function itemsOf(folder: string): Promise<FolderContent> {
  const items: FolderItem[] = [];
  const nameless: string[] = [];
  try {
    for (const { entry, name, shownName } of await entriesOf(folder)) {
      if (name === undefined) {
        // What would not be looked at under any name is not told of either.
        if (
          entry.isDirectory() ||
          candidatesOf([{ name: shownName, children: undefined }]).length > 0
        ) {
          nameless.push(shownName);
        }
      } else if (entry.isFile()) {
        items.push({ name, children: undefined });
      } else if (entry.isDirectory()) {
        const files = (await entriesOf(join(folder, name))).filter((child) => child.entry.isFile());
        const item = { name, children: files.map((child) => child.name ?? child.shownName) };
        const isWhole = files.every((child) => child.name !== undefined);
        if (isWhole) {
          items.push(item);
        } else if (candidatesOf([item]).length > 0) {
          nameless.push(name);
        }
      }
    }
    return { items, nameless };
  } catch (error) {
    throw diskError(error, `cannot read the folder ${folder}`);
  }
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  return entries.map((entry) => ({
    entry,
    name: textOfFileName(entry.name),
    shownName: shownFileName(entry.name),
  }));
}

/** Undefined when one is gone since the folder was listed. */
async function factsOfMembers(
  folder: string,
  { members }: Candidate,
): Promise<readonly FileFacts[] | undefined> {
  try {
    return await Promise.all(members.map((member) => factsOf(join(folder, member))));
  } catch (error) {
    if (error instanceof ParsError && isAbsent(error.cause)) {
      return undefined;
    }
    throw error;
  }
}

function watchEvents(folder: string, waker: Waker, log: HookContext['log']): FSWatcher | undefined {
  try {
    const watcher = watch(folder, () => {
      waker.wake();
    });
    watcher.on('error', (error) => {
      log.warn('the folder gives no events any more; it is looked at from time to time', {
        error: messageOf(error),
      });
    });
    return watcher;
  } catch (error) {
    log.warn('the folder gives no events; it is looked at from time to time', {
      error: messageOf(error),
    });
    return undefined;
  }
}
