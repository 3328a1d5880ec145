// How a VM that came from libvirt goes back to it: a domain XML that names the restored disks, and a bash script that
// has libvirt restore the save file with it.
import { bashQuote } from '../qemu/bash-quote.js';
import { markerName, scriptExitCodes, scriptName } from '../resume/resume-script.js';
import type { Finding } from '../trust/effects.js';
import { headComments } from '../trust/trust-words.js';
import { parseDomainXml } from './domain-xml.js';
import { judgeDomain } from './judge-domain.js';
import { replaceDiskSources } from './replace-disk-sources.js';

export const domainFileName = 'domain.xml';

export interface LibvirtResumeInput {
  /** The XML of the save file. */
  readonly xml: string;
  /** Where libvirt is reached, such as qemu:///system. */
  readonly uri: string;
  /** Absolute; the script and the XML go here. */
  readonly folder: string;
  /** Absolute: the restored save file. */
  readonly streamPath: string;
  /** Restored raw images, by where the VM had its disks. */
  readonly disks: readonly { readonly path: string; readonly sourcePath: string }[];
  /** Paths of the host that were named by who restores. */
  readonly namedPaths?: ReadonlySet<string>;
}

export interface LibvirtResumePlan {
  readonly vm: string;
  readonly domainXml: string;
  readonly script: string;
  /** What the domain can do to the host. */
  readonly findings: readonly Finding[];
  /** Disks that the VM writes to and that were not restored: it gets them as they are now. */
  readonly keptDiskPaths: readonly string[];
  /** Restored disks that the VM has no more use for. */
  readonly unusedDiskPaths: readonly string[];
}

/** Throws `image-invalid` when the XML is no domain. */
export function planLibvirtResume(input: LibvirtResumeInput): LibvirtResumePlan {
  const { xml, disks, streamPath } = input;
  const domain = parseDomainXml(xml, `the XML of ${streamPath}`);
  const rawPaths = new Map(disks.map(({ path, sourcePath }) => [sourcePath, path]));
  const known = new Set(domain.disks.map(({ sourcePath }) => sourcePath));
  const domainXml = replaceDiskSources(xml, rawPaths, `the XML of ${streamPath}`);
  const findings = judgeDomain(domainXml, `the XML of ${streamPath}`, {
    named: input.namedPaths ?? new Set(),
    restored: new Map(disks.map(({ path }) => [path, 'raw'])),
  });
  return {
    vm: domain.name,
    domainXml,
    script: libvirtResumeScript(input, domain.name, findings),
    findings,
    keptDiskPaths: domain.disks
      .filter(({ isReadOnly, device }) => !isReadOnly && device !== 'cdrom')
      .map(({ sourcePath, target }) => sourcePath ?? target)
      .filter((path) => !rawPaths.has(path)),
    unusedDiskPaths: disks
      .filter(({ sourcePath }) => !known.has(sourcePath))
      .map(({ path }) => path),
  };
}

function libvirtResumeScript(
  { uri, folder, streamPath }: LibvirtResumeInput,
  vm: string,
  findings: readonly Finding[],
): string {
  const { ranBefore, failed, interrupted } = scriptExitCodes;
  return `#!/usr/bin/env bash
# Has libvirt start the VM from what \`pars restore\` wrote. It is libvirt's from then on: \`virsh console\`, \`virsh shutdown\`.
#
${headComments(findings)}
#
# The save file stays as it is, the disks do not. So the VM runs from here once, and the file ${markerName} says that it has.
#
# Ends with 0 when the VM runs, ${failed} when libvirt did not start it, ${ranBefore} when it ran before, ${interrupted} when interrupted.

folder=${bashQuote(folder)}
save=${bashQuote(streamPath)}
marker=$folder/${markerName}

say() {
  printf '${scriptName}: %s\\n' "$1" >&2
}

if [[ -e $marker ]]; then
  say "the VM ran from here before ($(<"$marker")), and its disks are no longer those of the snapshot: restore it to another folder"
  exit ${ranBefore}
fi
if ! command -v virsh >/dev/null; then
  say 'virsh is missing (package libvirt-clients)'
  exit ${failed}
fi
# First, as nobody may start the VM twice; what then fails for certain takes it back.
(
  set -o noclobber
  printf '%(%F %T)T\\n' -1 >"$marker"
) || {
  say "cannot write $marker, or the VM was started twice"
  exit ${failed}
}
trap 'exit ${interrupted}' INT TERM HUP
if virsh -c ${bashQuote(uri)} restore "$save" --xml "$folder/${domainFileName}" --running; then
  say ${bashQuote(`the VM ${vm} runs`)}
  exit 0
fi
rm -f -- "$marker"
say "libvirt did not start the VM, its own words stand above; a VM of the same name must be shut off before"
exit ${failed}
`;
}
