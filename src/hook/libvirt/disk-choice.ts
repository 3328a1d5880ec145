// Which disks of a domain belong into a snapshot, and why the others do not. Pure.
import { diskNamePattern } from '../../manifest/space/disk-record.js';
import type { DomainDisk } from '../../vm/libvirt/domain-xml.js';

export interface ChosenDisk {
  readonly target: string;
  readonly sourcePath: string;
  readonly format: string;
}

export interface LeftDisk {
  readonly target: string;
  readonly reason: string;
  /** Whether the VM may have written to it, so that the snapshot lacks something. */
  readonly isMissed: boolean;
}

export interface DiskChoice {
  readonly chosen: readonly ChosenDisk[];
  readonly left: readonly LeftDisk[];
}

/** The formats that qemu-img reads from the file alone; all others, such as luks, need more. */
const formats: ReadonlySet<string> = new Set(['raw', 'qcow2', 'qed', 'vmdk', 'vdi', 'vhdx', 'vpc']);

export function chooseDisks(disks: readonly DomainDisk[]): DiskChoice {
  const chosen: ChosenDisk[] = [];
  const left: LeftDisk[] = [];
  for (const disk of disks) {
    const { target, sourcePath, format } = disk;
    const reason = reasonToLeave(disk);
    if (reason === undefined && sourcePath !== undefined) {
      chosen.push({ target, sourcePath, format });
    } else {
      left.push({
        target,
        reason: reason ?? 'it has no medium',
        isMissed: !disk.isReadOnly && !isRemovable(disk),
      });
    }
  }
  return { chosen, left };
}

function reasonToLeave(disk: DomainDisk): string | undefined {
  if (isRemovable(disk)) {
    return `it is a ${disk.device} drive`;
  }
  if (disk.isReadOnly) {
    return 'the VM cannot write to it';
  }
  if (disk.isShared) {
    return 'other VMs may write to it';
  }
  if (disk.sourceType !== 'file' || disk.device !== 'disk') {
    return `it is a ${disk.sourceType} ${disk.device}, and only files are taken: a snapshot of it would need a place elsewhere`;
  }
  if (disk.isEncrypted || !formats.has(disk.format)) {
    return `its image is ${disk.isEncrypted ? 'encrypted' : disk.format}, which is not read`;
  }
  return diskNamePattern.test(disk.target) ? undefined : 'its name does not fit a store';
}

const isRemovable = ({ device }: DomainDisk): boolean => device === 'cdrom' || device === 'floppy';
