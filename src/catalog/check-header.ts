// What a manifest may say of the store it lies in. Its bytes can be in order and it can still be a lie: somebody who may
// write one file there could name every other in it, and whoever deletes that snapshot would delete those.
//
// So a snapshot is the one its file is named after, and names nothing but what an upload writes, by pattern. Packs may be
// those of another snapshot, and are then kept as long as that one, or an upload of that id, is there.
import { ParsError } from '../../introspect/pars-error.js';
import { maxMomentMs } from '../flow/bounded.js';
import { partsOfPackName } from '../manifest/pack-name.js';
import type { ManifestHeader } from '../manifest/types.js';
import { bodyName, idOfSharedFile, manifestName, packFolder } from './names.js';

/** A role is the last segment of its file's name: `state`, `machine`. */
const rolePattern = /^[a-z][a-z0-9-]{0,63}$/;

/** What is wrong with a manifest found under `id`, in words, or undefined. */
export function headerProblem(header: ManifestHeader, id: string): string | undefined {
  if (header.id !== id) {
    return `it says that it is snapshot ${JSON.stringify(header.id.slice(0, 80))}`;
  }
  if (header.createdMs > maxMomentMs) {
    return `its moment is ${header.createdMs} ms after 1970, which is after the year 9999`;
  }
  const pack = header.packs.find(({ name }) => partsOfPackName(name) === undefined);
  if (pack !== undefined) {
    return `it names the pack ${shortened(pack.name)}, expected packs/ID/NUMBER.pack`;
  }
  const shared = sharedFileProblem(header, id);
  if (shared !== undefined) {
    return shared;
  }
  const attachment = header.attachments.find(
    ({ role, name }) => !rolePattern.test(role) || name !== `${packFolder(id)}/${role}`,
  );
  return attachment === undefined
    ? undefined
    : `it names the file ${shortened(attachment.name)} as its ${shortened(attachment.role)}, ` +
        `expected ${packFolder(id)}/ROLE`;
}

/** Bodies and hashes may be those of other snapshots, but for the newest body. */
function sharedFileProblem({ bodies, pageHashes }: ManifestHeader, id: string): string | undefined {
  const foreign = bodies.find(({ name }) => name !== bodyName(idOfSharedFile(name) ?? ''));
  if (foreign !== undefined) {
    return `it names the body ${shortened(foreign.name)}, expected packs/ID/body`;
  }
  const newest = bodies.at(-1);
  if (newest !== undefined && newest.name !== bodyName(id)) {
    return `its newest body is ${shortened(newest.name)}, expected ${bodyName(id)}`;
  }
  const hashes = pageHashes.find(
    ({ name }) => !name.endsWith('.hashes') || idOfSharedFile(name) === undefined,
  );
  return hashes === undefined
    ? undefined
    : `it names the page hashes ${shortened(hashes.name)}, expected packs/ID/NUMBER.hashes`;
}

/** Throws `corrupt`. */
export function expectHeaderOf(id: string, header: ManifestHeader): ManifestHeader {
  const problem = headerProblem(header, id);
  if (problem === undefined) {
    return header;
  }
  throw new ParsError('corrupt', `${manifestName(id)}: ${problem}; nothing that it names is used`);
}

function shortened(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}...` : name;
}
