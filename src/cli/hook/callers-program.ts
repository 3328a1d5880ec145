// The command line of those `pars hook` commands that other programs call in their own way, for main.ts.
import type { Command, Option } from 'commander';
import { promiseToEndWell } from '../shared/exit-promise.js';
import type { HookLibvirtOptions } from './libvirt.js';
import type { HookLibvirtSaveOptions } from './libvirt-save.js';
import type { HookLibvirtSnapshotOptions } from './libvirt-snapshot.js';
import type { RunCommand } from './program.js';
import type { HookProxmoxOptions } from './proxmox.js';

const configMeaning = 'pars.yaml (default: PARS_CONFIG, else /etc/pars/pars.yaml)';

/** Their callers take no failure: src/hook/MANUAL.md says that their exit code is always 0. */
const endWell: ReadonlySet<string> = new Set(['libvirt', 'proxmox']);

/** Below the group `hook`. */
export function addCallerCommands(hook: Command, run: RunCommand, jsonOption: () => Option): void {
  // Before the words of the command itself are looked at.
  hook.hook('preSubcommand', (_, command) => {
    if (endWell.has(command.name())) {
      promiseToEndWell();
    }
  });

  hook
    .command('libvirt')
    .description('take a managed save, as the qemu hook of libvirt; never fails')
    .argument(
      '<words...>',
      'what libvirt calls its hook with: DOMAIN OPERATION SUB-OPERATION EXTRA',
    )
    .option('--config <file>', configMeaning)
    .option(
      '--save-folder <dir>',
      'where libvirt keeps managed saves (default: /var/lib/libvirt/qemu/save)',
    )
    .action((words: readonly string[], options: HookLibvirtOptions) =>
      run(options, async (context) =>
        (await import('./libvirt.js')).hookLibvirtCommand(words, options, context),
      ),
    );

  hook
    .command('libvirt-save')
    .description(
      "take files of virsh save, with the VM's disks where nobody has written to them since; the files stay",
    )
    .argument('<files...>', 'files of virsh save')
    .option('--config <file>', configMeaning)
    .option('--vm <name>', 'what the VM is called (default: as the file says)')
    .option('--handed-over', 'files that `pars hook libvirt` left: removed once they are taken')
    .addOption(jsonOption())
    .action((files: readonly string[], options: HookLibvirtSaveOptions) =>
      run(options, async (context) =>
        (await import('./libvirt-save.js')).hookLibvirtSaveCommand(files, options, context),
      ),
    );

  hook
    .command('libvirt-snapshot')
    .description('take a snapshot of a running VM of libvirt, memory and disks of one moment')
    .argument('<domain>', 'its name, as virsh list has it')
    .option('--config <file>', configMeaning)
    .option('--wait', 'send it before returning (default: in the background)')
    .addOption(jsonOption())
    .action((domain: string, options: HookLibvirtSnapshotOptions) =>
      run(options, async (context) =>
        (await import('./libvirt-snapshot.js')).hookLibvirtSnapshotCommand(
          domain,
          options,
          context,
        ),
      ),
    );

  hook
    .command('proxmox')
    .description('take a snapshot of a VM that vzdump backs up, as its hook script; never fails')
    .argument('<words...>', 'what vzdump calls its hook script with: PHASE [MODE VMID]')
    .option('--config <file>', configMeaning)
    .option(
      '--qmp <path>',
      "QMP socket of a VM, % for its number (default: Proxmox's, /var/run/qemu-server/%.qmp)",
    )
    .option('--timeout <duration>', 'how long the backup waits at most (default: 10m)')
    .action((words: readonly string[], options: HookProxmoxOptions) =>
      run(options, async (context) =>
        (await import('./proxmox.js')).hookProxmoxCommand(words, options, context),
      ),
    );
}
