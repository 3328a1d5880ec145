// pars upload: an image, a captured folder or a running VM into a store as a snapshot, or with --dry-run what it would be.
import type { Command } from 'commander';
import { ParsError } from '../../../introspect/pars-error.js';
import { type DiskArgument, parseDiskArgument } from '../../disk/guest-disks.js';
import type { NamedPolicy } from '../../plan/policy.js';
import { disksToStore } from '../../snapshot/prepare/disks-to-store.js';
import { expectStandsStill } from '../../vm/capture/expect-still.js';
import { givenIdentity, vmIdForm, vmIdPattern } from '../../vm/vm-identity.js';
import { codecOption } from '../shared/options/codec-option.js';
import {
  collect,
  fewerOption,
  formatOption,
  imageMeaning,
  jsonOption,
  mapOption,
  policyOption,
  weakOption,
} from '../shared/options/common.js';
import { type PolicyArguments, readPolicy } from '../shared/options/read-policy.js';
import { storeOption } from '../shared/options/store-option.js';
import { type CommandContext, runCommand } from '../shared/run-command.js';
import { capturedSource, type UploadSource } from './captured-source.js';
import type { LiveOptions } from './upload-live.js';
import { uploadSource } from './upload-source.js';

/** The options that go with `--qmp` alone are those of LiveOptions. */
export interface UploadOptions extends PolicyArguments, LiveOptions {
  readonly disk?: readonly string[];
  readonly withDisks?: boolean;
  /** The VM that has the image as its RAM was stopped. */
  readonly standsStill?: boolean;
  /** Given instead of an image: a folder that a capture wrote. */
  readonly captured?: string;
  /** Given instead of an image: the QMP socket of a running VM. */
  readonly qmp?: string;
}

export function configure(command: Command): void {
  command
    .argument('[image]', imageMeaning)
    .addOption(storeOption().makeOptionMandatory())
    .option('--name <vm>', 'what the VM is called')
    .option(
      '--vm-id <id>',
      "what tells it from other VMs of that name, wherever it runs (default with --qmp: the machine's UUID and this host)",
    )
    .option(
      '--qmp <socket>',
      "instead of an image: a running QEMU's QMP socket; RAM, device state and disks of one moment",
    )
    .option('--without-disks', 'with --qmp: leave the disks out')
    .option(
      '--decrypt-disks',
      'with --qmp: store disks that are encrypted on this host in the clear (they are refused otherwise)',
    )
    .option('--max-downtime <time>', 'with --qmp: the VM may stand still so long, such as 50ms')
    .option(
      '--scratch <dir>',
      'with --qmp: where it is captured first; needs room for the RAM and the disks (default: /var/tmp/pars, or one beside it where another user has that)',
    )
    .option('--captured <dir>', 'instead of an image: a folder that a capture wrote')
    .option(
      '--bandwidth <rate>',
      'read and send no faster than so many bytes per second, such as 50M',
    )
    .addOption(codecOption())
    .option(
      '--state <file>',
      'device state of the same moment: kept with it, and its CPUs prove which kernel runs (default: that in the image, where it has one)',
    )
    .option(
      '--stands-still',
      'the VM that has the image as its RAM was stopped, though its monitor cannot be asked',
    )
    .addOption(formatOption())
    .addOption(mapOption())
    .addOption(policyOption())
    .addOption(weakOption())
    .addOption(fewerOption())
    .option(
      '--disk <[name=]file>',
      "raw disk image of the same moment as the memory: pages it is seen to hold may be stored once (policy disk) or not at all (lean); may be given again, with the guest's names such as vda=",
      collect,
    )
    .option('--with-disks', 'store the images given with --disk too, so that a restore has them')
    .option(
      '--machine <file>',
      "the VM's QEMU command line, for restore --resume: /proc/PID/cmdline, or a JSON array",
    )
    .option('--dry-run', 'print the plan and store nothing')
    .addOption(jsonOption())
    .action((image: string | undefined, options: UploadOptions) =>
      runCommand(options, (context) => uploadCommand(image, options, context)),
    );
}

export async function uploadCommand(
  imagePath: string | undefined,
  options: UploadOptions,
  context: CommandContext,
): Promise<number> {
  const policy = await readPolicy(options);
  expectOneSource(imagePath, options);
  if (options.qmp !== undefined) {
    const { uploadLive } = await import('./upload-live.js');
    return await uploadLive(options.qmp, policy, options, context);
  }
  if (options.captured !== undefined) {
    return await uploadSource(await capturedSource(options.captured), policy, options, context);
  }
  const diskArguments = (options.disk ?? []).map(parseDiskArgument);
  expectDisks(options, policy, diskArguments);
  const source: UploadSource = {
    imagePath: imagePath ?? '',
    format: undefined,
    statePath: options.state,
    machinePath: options.machine,
    disks: [],
    vm: options.name ?? '',
    identity: options.vmId === undefined ? undefined : givenIdentity(options.vmId),
    createdMs: undefined,
    expectStill: async () => {
      await expectStandsStill(imagePath ?? '', options.standsStill === true);
    },
  };
  return await uploadSource(source, policy, options, context, (image) => ({
    compared: policy.heldLabels.length === 0 ? [] : diskArguments,
    stored: options.withDisks === true ? disksToStore(diskArguments, image) : [],
  }));
}

type SourceKind = 'image' | 'live' | 'captured';

/** What each option is for, of those that are not for all. */
const sourcesOf: Partial<Readonly<Record<keyof UploadOptions, readonly SourceKind[]>>> = {
  name: ['image', 'live'],
  vmId: ['image', 'live'],
  machine: ['image', 'live'],
  disk: ['image'],
  withDisks: ['image'],
  state: ['image'],
  standsStill: ['image'],
  format: ['image'],
  mapFile: ['image'],
  scratch: ['live'],
  maxDowntime: ['live'],
  withoutDisks: ['live'],
  decryptDisks: ['live'],
};

const sourceNames: Readonly<Record<SourceKind, string>> = {
  image: 'an image',
  live: 'a running VM (--qmp)',
  captured: 'what was captured (--captured)',
};

function expectOneSource(imagePath: string | undefined, options: UploadOptions): void {
  const given = { image: imagePath, live: options.qmp, captured: options.captured };
  const kinds = (Object.keys(given) as readonly SourceKind[]).filter(
    (kind) => given[kind] !== undefined,
  );
  if (kinds.length !== 1) {
    throw new ParsError(
      'usage',
      'expected one of an image, --qmp SOCKET for a running VM, and --captured DIR; found ' +
        (kinds.length === 0 ? 'none' : kinds.map((kind) => sourceNames[kind]).join(' and ')),
    );
  }
  const [kind] = kinds;
  for (const [name, sources] of Object.entries(sourcesOf)) {
    if (options[name as keyof UploadOptions] !== undefined && !sources.includes(kind)) {
      const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new ParsError(
        'usage',
        `--${option} means nothing for ${sourceNames[kind]}: leave it out`,
      );
    }
  }
  if (options.vmId !== undefined && !vmIdPattern.test(options.vmId)) {
    throw new ParsError(
      'usage',
      `--vm-id: expected ${vmIdForm}, found ${JSON.stringify(options.vmId)}`,
    );
  }
  if (kind !== 'captured' && options.name === undefined) {
    throw new ParsError('usage', 'say with --name what the VM is called');
  }
}

function expectDisks(
  { policy = 'strict', withDisks = false }: UploadOptions,
  { heldLabels }: NamedPolicy,
  disks: readonly DiskArgument[],
): void {
  if (disks.length > 0 && heldLabels.length === 0 && !withDisks) {
    throw new ParsError(
      'usage',
      `the policy ${policy} stores nothing by what a disk holds: leave --disk out, say --policy disk or lean, or store ` +
        'the disk too, with --with-disks',
    );
  }
  if (disks.length === 0 && withDisks) {
    throw new ParsError(
      'usage',
      "--with-disks stores the VM's disks as they were at the moment of its memory: give them with --disk",
    );
  }
  if (disks.length === 0 && policy === 'disk') {
    throw new ParsError(
      'usage',
      "the policy disk needs the VM's disk, of the same moment as its memory: give it with --disk",
    );
  }
}
