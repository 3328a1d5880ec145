// What is done about the disks of a local store from outside of it, by `pars disks` and `pars verify`.
import { sharedDisks } from './disks/shared-disks.js';
import { bringBack, inspectDisks, settleDisks } from './membership/settle-disks.js';

export const diskCare = { inspectDisks, settleDisks, bringBack, sharedDisks };
export type DiskCare = typeof diskCare;
