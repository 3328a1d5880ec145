// Whatever a capture adds to a QEMU has a name of its own, so that leftovers of a run that was killed are known by it.

export const ownPrefix = 'pars-';

/** The node to which the disk at `index` in the capture's list is copied. QEMU allows 31 characters in a name. */
export const targetNode = (index: number): string => `${ownPrefix}target-${index}`;
export const filterNode = (index: number): string => `${ownPrefix}filter-${index}`;
export const accessNode = (index: number): string => `${ownPrefix}access-${index}`;
export const exportId = (index: number): string => `${ownPrefix}export-${index}`;
