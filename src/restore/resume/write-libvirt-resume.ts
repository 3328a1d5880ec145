// What starts a VM that libvirt had saved: DIR/domain.xml, in which the domain has the restored disks, and DIR/resume.sh,
// which gives both to libvirt.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ParsError } from '../../../introspect/pars-error.js';
import { diskError } from '../../host/disk-error.js';
import type { Attachment } from '../../manifest/types.js';
import type { Store } from '../../store/store.js';
import { domainFileName, planLibvirtResume } from '../../vm/libvirt/plan-libvirt-resume.js';
import { readSaveXml } from '../../vm/libvirt/save-xml.js';
import { bashQuote } from '../../vm/qemu/bash-quote.js';
import { scriptName } from '../../vm/resume/resume-script.js';
import type { RestoredDisk } from '../restored-disk.js';
import { writeScript } from './resume-folder.js';
import type { ResumableMachine } from './write-resume.js';

/** The magic of a save file, which the device state begins with too. (libvirt src/qemu/qemu_saveimage.h) */
const saveMagic = 'LibvirtQemudSave';

export interface LibvirtResumeRequest {
  /** Where the restore wrote. */
  readonly folder: string;
  /** The restored save file. */
  readonly streamPath: string;
  readonly restoredDisks: readonly RestoredDisk[];
  /** The URI of libvirt, as `virsh -c` takes it. */
  readonly uri?: string | undefined;
  /** Paths of the host that the machine may open as it says. */
  readonly trustedPaths?: readonly string[];
  readonly warn: (sentence: string) => void;
}

/** As virsh's own: root has the host's libvirt, others have one of their own. */
function defaultUri(): string {
  return process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session';
}

/** Whether a snapshot's device state is of a VM that libvirt saved. */
export async function isOfLibvirt(
  store: Store,
  attachments: readonly Attachment[],
  signal?: AbortSignal,
): Promise<boolean> {
  const state = attachments.find(({ role }) => role === 'state');
  if (state === undefined || state.sizeBytes < saveMagic.length) {
    return false;
  }
  const head = await store.read(state.name, 0, saveMagic.length, { signal });
  return Buffer.from(head).toString('latin1') === saveMagic;
}

/** Writes both. Throws `usage` for a domain that would write to disks which nobody has named. */
export async function writeLibvirtResume(request: LibvirtResumeRequest): Promise<ResumableMachine> {
  const { warn, restoredDisks, trustedPaths = [] } = request;
  const folder = resolve(request.folder);
  const streamPath = resolve(request.streamPath);
  const uri = request.uri ?? process.env['LIBVIRT_DEFAULT_URI'] ?? defaultUri();
  const plan = planLibvirtResume({
    xml: readSaveXml(streamPath),
    uri,
    folder,
    streamPath,
    disks: restoredDisks.map(({ path, sourcePath }) => ({ path: resolve(path), sourcePath })),
    namedPaths: new Set(trustedPaths),
  });
  const unnamed = plan.keptDiskPaths.filter((path) => !trustedPaths.includes(path));
  if (unnamed.length > 0) {
    throw new ParsError(
      'usage',
      `the VM was not resumed, as it would write to disks that were not restored with it: ${unnamed.map(bashQuote).join(', ')}; ` +
        '--trust-path PATH lets it have one that is as it was at the snapshot',
    );
  }
  for (const path of plan.unusedDiskPaths) {
    warn(`the domain does not name the disk that ${path} was, so the VM does not use it`);
  }
  const domainPath = join(folder, domainFileName);
  await writeFile(domainPath, plan.domainXml, { flag: 'wx', mode: 0o600 }).catch(
    (error: unknown) => {
      throw diskError(error, `cannot write ${domainPath}`);
    },
  );
  const scriptPath = join(folder, scriptName);
  await writeScript(scriptPath, plan.script);
  const words = ['virsh', '-c', uri, 'restore', streamPath, '--xml', domainPath, '--running'];
  return {
    command: [`  ${words.map(bashQuote).join(' ')}`],
    findings: plan.findings,
    scriptPath,
  };
}
