// What a VM of libvirt is called in the store: its own name, as far as that fits there.
import { vmName } from '../../catalog/names.js';
import { vmOfName } from '../folder-candidates.js';

export function vmOfDomain(domain: string): string {
  // As of a file: what stands behind the last dot would be left out.
  return vmName.test(domain) ? domain : vmOfName(`${domain}.`);
}
