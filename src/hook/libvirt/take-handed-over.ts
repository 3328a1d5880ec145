// Managed saves that the hook has handed over come into the spool, in the background.
//
// What cannot be taken stays for the next time, unless a newer save of the same VM was handed over too: only then it is
// dropped, and said so. So no VM keeps more than one file waiting.
import { stat, unlink } from 'node:fs/promises';
import { ParsError } from '../../../introspect/pars-error.js';
import { isAbsent } from '../../spool/is-absent.js';
import type { HookContext } from '../hook-context.js';
import { domainOfHandedOver } from './hand-over.js';
import { spoolSave } from './spool-save.js';

/** The error of the first that could not be taken and stays. */
export async function takeHandedOver(
  hook: HookContext,
  paths: readonly string[],
): Promise<ParsError | undefined> {
  const newestSeen = new Set<string>();
  let firstError: ParsError | undefined;
  for (const path of await newestFirst(paths)) {
    const domain = domainOfHandedOver(path);
    if (domain === undefined) {
      throw new ParsError(
        'usage',
        `expected files that \`pars hook libvirt\` handed over, found ${path}: leave out --handed-over`,
      );
    }
    const hasNewer = newestSeen.has(domain);
    newestSeen.add(domain);
    try {
      await spoolSave(hook, { path, link: true });
      await remove(path);
    } catch (error) {
      if (!(error instanceof ParsError) || error.code === 'cancelled') {
        throw error;
      }
      if (error.code === 'not-found') {
        // Another process took it.
        continue;
      }
      const facts = { vm: domain, path, error: error.message };
      if (hasNewer) {
        hook.log.warn(
          'a managed save was dropped unsent: it cannot be taken into the spool, and there is a newer one',
          facts,
        );
        await hook.metrics.dropped(facts.vm);
        await remove(path);
      } else {
        hook.log.error('a managed save cannot be taken into the spool; it waits', facts);
        await hook.metrics.failed(facts.vm);
        firstError ??= error;
      }
    }
  }
  return firstError;
}

/** Without those that are gone. */
async function newestFirst(paths: readonly string[]): Promise<readonly string[]> {
  const found: { path: string; mtimeMs: number }[] = [];
  for (const path of paths) {
    try {
      found.push({ path, mtimeMs: (await stat(path)).mtimeMs });
    } catch (error) {
      if (!isAbsent(error)) {
        throw error;
      }
    }
  }
  return found
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isAbsent(error)) {
      throw error;
    }
  });
}
