// The commands of `pars hook`, in the order of its help. Each file has the command's options and what it does.
import type { Command } from 'commander';
import { addCommands, type CommandEntry } from '../shared/command-table.js';
import { promiseToEndWell } from '../shared/exit-promise.js';

export const hookCommands: readonly CommandEntry[] = [
  {
    form: 'run [options]',
    description:
      'take one snapshot: a running VM through its QMP socket, or files named by PARS_* variables or JSON on standard input',
    load: () => import('./run.js'),
  },
  {
    form: 'dir [options] <dir>',
    description: 'take each complete snapshot in a folder; the files stay',
    load: () => import('./dir.js'),
  },
  {
    form: 'flush [options]',
    description: 'send what waits in the spool, oldest first',
    load: () => import('./flush.js'),
  },
  {
    form: 'list [options]',
    description: 'list what waits in the spool',
    load: () => import('./list.js'),
  },
  {
    form: 'libvirt [options] <words...>',
    description: 'take a managed save, as the qemu hook of libvirt; never fails',
    load: () => import('./libvirt.js'),
  },
  {
    form: 'libvirt-save [options] <files...>',
    description:
      "take files of virsh save, with the VM's disks where nobody has written to them since; the files stay",
    load: () => import('./libvirt-save.js'),
  },
  {
    form: 'libvirt-snapshot [options] <domain>',
    description: 'take a snapshot of a running VM of libvirt, memory and disks of one moment',
    load: () => import('./libvirt-snapshot.js'),
  },
  {
    form: 'proxmox [options] <words...>',
    description: 'take a snapshot of a VM that vzdump backs up, as its hook script; never fails',
    load: () => import('./proxmox.js'),
  },
];

/** Commands whose callers take no failure: src/hook/MANUAL.md says that their exit code is always 0. */
const endWell: ReadonlySet<string> = new Set(['libvirt', 'proxmox']);

export async function configure(hook: Command, words: readonly string[]): Promise<void> {
  // Before the words of the command itself are looked at.
  hook.hook('preSubcommand', (_, command) => {
    if (endWell.has(command.name())) {
      promiseToEndWell();
    }
  });
  await addCommands(hook, hookCommands, words);
}
