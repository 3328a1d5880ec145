// The commands of pars, in the order of its help. Each file has the command's options and what it does.
import type { CommandEntry } from './shared/command-table.js';

export const commands: readonly CommandEntry[] = [
  {
    form: 'classify [options] <image>',
    description: "label every page of a guest's memory",
    load: () => import('./image/classify.js'),
  },
  {
    form: 'kernel [options] <image>',
    description: "show which kernel is in a guest's memory, and what of it was found where",
    load: () => import('./image/kernel.js'),
  },
  {
    form: 'init [options]',
    description: 'take new, empty disks into a store of local disks; other stores make themselves',
    load: () => import('./store/init.js'),
  },
  {
    form: 'disks [options]',
    description:
      'show whether the disks of a store of local disks agree, and settle it where they do not',
    load: () => import('./store/disks.js'),
  },
  {
    form: 'upload [options] [image]',
    description: 'store a snapshot: critical pages three times, expendable pages once',
    load: () => import('./upload/upload.js'),
  },
  {
    form: 'list [options]',
    description: 'list the snapshots of a store',
    load: () => import('./store/list.js'),
  },
  {
    form: 'show [options] <id>',
    description: 'show what a snapshot holds',
    load: () => import('./store/show.js'),
  },
  {
    form: 'report [options] [id]',
    description: 'compare what storing by page takes, risks and costs with every other way',
    load: () => import('./report/report.js'),
  },
  {
    form: 'restore [options] <id>',
    description:
      'write a snapshot back to DIR/ram and DIR/state, or to one file named as its format, and its disks to DIR/disk-NAME.img',
    load: () => import('./restore/restore.js'),
  },
  {
    form: 'verify [options] <id>',
    description: 'check that a snapshot could be restored, and tell what it would survive',
    load: () => import('./store/verify.js'),
  },
  {
    form: 'delete [options] <id>',
    description: 'delete a snapshot and the files that no other one uses',
    load: () => import('./store/delete.js'),
  },
  {
    form: 'forget [options]',
    description:
      'delete the snapshots that none of the --keep options keeps, for each VM by itself',
    load: () => import('./store/forget.js'),
  },
  {
    form: 'prune [options]',
    description: 'remove what killed uploads have left in the store',
    load: () => import('./store/prune.js'),
  },
  {
    form: 'hook',
    description: 'for schedulers and hypervisors: take snapshots into a spool, and send them',
    load: () => import('./hook/commands.js'),
  },
  {
    form: 'config',
    description: 'the configuration of the hook commands',
    load: () => import('./hook/config.js'),
  },
];
