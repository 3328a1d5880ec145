// Whether what lies in a watched folder is a whole snapshot, and of which VM.
import type { ImageFormat } from '../../../introspect/memory/memory-image.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { parseDomainXml } from '../../vm/libvirt/domain-xml.js';
import { readSaveXml } from '../../vm/libvirt/save-xml.js';
import { type Candidate, vmOfFile } from './folder-candidates.js';

/**
 * Throws when the format is not complete, or nothing says that it is RAM. Undefined for flat RAM: what kind it is may be
 * told by a state file beside it, and here those of other VMs lie beside it too.
 */
export function wholeFormat(path: string, { mayBeFlat }: Candidate): ImageFormat | undefined {
  const image = openImage(path);
  image.close();
  if (image.format !== 'raw' && image.format !== 'firecracker') {
    return image.format;
  }
  if (!mayBeFlat) {
    throw new ParsError(
      'image-invalid',
      'its content says no format, and its name does not end in .ram, .raw or .mem as one of flat RAM does',
    );
  }
  return undefined;
}

/** As the snapshot itself says, else as the file is called. */
export function nameOfVm(path: string, name: string, format: ImageFormat | undefined): string {
  if (format === 'libvirt-save') {
    const { name: domain } = parseDomainXml(readSaveXml(path), path);
    expectVmName(domain, 'say with --vm NAME what the VM is called');
    return domain;
  }
  return format === 'cloud-hypervisor' ? name : vmOfFile(name);
}
