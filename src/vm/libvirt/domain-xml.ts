// What the XML of a libvirt domain says of a VM's name, memory and disks.
import { ParsError } from '../../../introspect/pars-error.js';
import { attributeOf, findChildren, nameOf, parseXml, textOf, type XmlNode } from './xml-tree.js';

export interface DomainDisk {
  /** The VM's own name for it, such as vda. */
  readonly target: string;
  /** `disk`, `cdrom`, `floppy` or `lun`. */
  readonly device: string;
  /** `file`, `block`, `network` ... */
  readonly sourceType: string;
  /** The path of a file or block device; undefined for other sources, and for a drive without a medium. */
  readonly sourcePath: string | undefined;
  /** What the image is: `raw`, `qcow2` ... */
  readonly format: string;
  readonly isReadOnly: boolean;
  /** Other VMs may write to it too. */
  readonly isShared: boolean;
  readonly isEncrypted: boolean;
}

export interface Domain {
  readonly name: string;
  readonly uuid: string | undefined;
  /** The most that it may have; every domain that was ever defined says it. */
  readonly memorySizeBytes: number | undefined;
  readonly disks: readonly DomainDisk[];
}

/** `where` is for the message. Throws `image-invalid` when the text is no domain. */
export function parseDomainXml(text: string, where: string): Domain {
  const domain = domainOf(parseXml(text, where), where);
  const name = findChildren(domain, 'name').map(textOf).at(0);
  const memory = findChildren(domain, 'memory').at(0);
  if (name === undefined || name === '') {
    throw new ParsError(
      'image-invalid',
      `${where}: expected a domain with a <name>, found one without; give the XML of virsh dumpxml`,
    );
  }
  return {
    name,
    uuid: findChildren(domain, 'uuid').map(textOf).at(0),
    memorySizeBytes: memory === undefined ? undefined : memoryBytes(memory, where),
    disks: findChildren(domain, 'devices').flatMap((devices) =>
      findChildren(devices, 'disk').map(diskOf),
    ),
  };
}

/** The element itself. */
export function domainOf(nodes: readonly XmlNode[], where: string): XmlNode {
  const domain = nodes.find((node) => nameOf(node) === 'domain');
  if (domain === undefined) {
    throw new ParsError(
      'image-invalid',
      `${where}: expected <domain>, found ${
        nodes
          .map(nameOf)
          .filter((name) => /^\w/.test(name))
          .join(', ') || 'no element'
      }`,
    );
  }
  return domain;
}

export function diskOf(disk: XmlNode): DomainDisk {
  const source = findChildren(disk, 'source').at(0);
  const attribute = (name: string): string | undefined =>
    source === undefined ? undefined : attributeOf(source, name);
  const driver = findChildren(disk, 'driver').at(0);
  const target = findChildren(disk, 'target').at(0);
  const has = (name: string): boolean => findChildren(disk, name).length > 0;
  return {
    target: target === undefined ? '' : (attributeOf(target, 'dev') ?? ''),
    device: attributeOf(disk, 'device') ?? 'disk',
    sourceType: attributeOf(disk, 'type') ?? 'file',
    sourcePath: attribute('file') ?? attribute('dev'),
    // libvirt looks into no image to find out.
    format: (driver === undefined ? undefined : attributeOf(driver, 'type')) ?? 'raw',
    isReadOnly: has('readonly'),
    isShared: has('shareable'),
    isEncrypted:
      has('encryption') || (source !== undefined && findChildren(source, 'encryption').length > 0),
  };
}

/** Names of libvirt: KiB and KB are not the same. */
const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  tb: 1e12,
};

function memoryBytes(memory: XmlNode, where: string): number {
  const unit = attributeOf(memory, 'unit') ?? 'KiB';
  const count = textOf(memory).trim();
  const factor = new Map(Object.entries(unitBytes)).get(unit.toLowerCase());
  if (factor === undefined || !/^\d{1,15}$/.test(count)) {
    throw new ParsError(
      'image-invalid',
      `${where}: expected <memory unit='KiB'>NUMBER</memory>, found ${count} ${unit}`,
    );
  }
  return Number(count) * factor;
}
