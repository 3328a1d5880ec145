#!/usr/bin/env node
// The command line of pars. Only commander is loaded to parse and to print help; a command loads what it needs.
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { watchStreams, writeJson, writeLines, writeText } from '../text/standard-streams.js';
import { exitCodeOfError } from './shared/exit-code.js';
import { addCallerCommands } from './hook/callers-program.js';
import { addHookCommands } from './hook/program.js';
import type { ClassifyOptions } from './image/classify.js';
import type { DeleteOptions } from './store/delete.js';
import type { DisksOptions } from './store/disks.js';
import type { ForgetOptions } from './store/forget.js';
import type { InitOptions } from './store/init.js';
import type { KernelOptions } from './image/kernel.js';
import type { ListOptions } from './store/list.js';
import type { PruneOptions } from './store/prune.js';
import { reportError } from './shared/report-error.js';
import type { ReportOptions } from './report/report.js';
import type { RestoreOptions } from './restore/restore.js';
import type { CommandContext, CommonOptions } from './shared/run-command.js';
import type { ShowOptions } from './store/show.js';
import { storeOption } from './shared/store-option.js';
import type { UploadOptions } from './upload/upload.js';
import type { VerifyOptions } from './store/verify.js';

async function run(
  options: CommonOptions,
  command: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const { runCommand } = await import('./shared/run-command.js');
  await runCommand(options, command);
}

const jsonOption = (): Option => new Option('--json', 'print the result as JSON');
const policyOption = (): Option =>
  new Option(
    '--policy <name>',
    'strict, disk, lean, or a YAML or JSON file with copies by label',
  ).default('strict');
const weakOption = (): Option =>
  new Option('--allow-weak-critical', 'accept a policy with one copy of critical pages');

const formatOption = (): Option =>
  new Option(
    '--format <name>',
    'raw, elf, migration, libvirt-save, firecracker, cloud-hypervisor or libvmi (default: told by the content)',
  );
const imageMeaning =
  'file of guest RAM, folder of a Cloud Hypervisor snapshot, or libvmi:{kvm|xen|file}:NAME';

const mapOption = (): Option =>
  new Option(
    '--map-file <file>',
    'JSON file saying where the bytes lie in guest memory (default: <image>.map.json, if there)',
  );

const stateOption = (): Option =>
  new Option(
    '--state <file>',
    'device state of the same moment, whose CPUs prove which kernel runs (default: that in the image, where it has one)',
  );

const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

const program = new Command('pars')
  .description('Page-aware replicated store for virtual-machine snapshots on HDFS')
  .version(version())
  .showHelpAfterError('(pars COMMAND --help lists the options)')
  // Before any command is added, which takes it over.
  .configureOutput({
    writeOut: (text) => {
      writeText('stdout', text);
    },
    writeErr: (text) => {
      writeText('stderr', text);
    },
    // It repeats words of the command line, which hooks are given by others; a suggestion has a line of its own.
    outputError: (text) => {
      writeLines('stderr', text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/));
    },
  })
  .exitOverride();

program
  .command('classify')
  .description("label every page of a guest's memory")
  .argument('<image>', imageMeaning)
  .addOption(formatOption())
  .addOption(mapOption())
  .addOption(stateOption())
  .option('--labels <file>', 'write one byte per page, in file order: the number of its label')
  .option('--npy <file>', 'write the same as a NumPy array')
  .option('--map <file>', 'draw memory by label: a .png or .svg picture')
  .option(
    '--explain <pfn>',
    'show the evidence for one page frame, decimal or 0x hex; may be given again',
    collect,
  )
  .option('--stats', "compare the labels with the kernel's own counters")
  .addOption(policyOption())
  .addOption(weakOption())
  .addOption(jsonOption())
  .action((image: string, options: ClassifyOptions) =>
    run(options, async (context) =>
      (await import('./image/classify.js')).classifyCommand(image, options, context),
    ),
  );

program
  .command('kernel')
  .description("show which kernel is in a guest's memory, and what of it was found where")
  .argument('<image>', imageMeaning)
  .addOption(formatOption())
  .addOption(mapOption())
  .addOption(stateOption())
  .addOption(jsonOption())
  .action((image: string, options: KernelOptions) =>
    run(options, async (context) =>
      (await import('./image/kernel.js')).kernelCommand(image, options, context),
    ),
  );

program
  .command('init')
  .description('take new, empty disks into a store of local disks; other stores make themselves')
  .addOption(storeOption().makeOptionMandatory())
  .addOption(jsonOption())
  .action((options: InitOptions) =>
    run(options, async (context) =>
      (await import('./store/init.js')).initCommand(options, context),
    ),
  );

program
  .command('disks')
  .description(
    'show whether the disks of a store of local disks agree, and settle it where they do not',
  )
  .addOption(storeOption().makeOptionMandatory())
  .option(
    '--trust <dir>',
    'the names on this disk count from now on; what the other disks have more is set aside there for 30 days',
  )
  .option('--keep-all', 'with --trust: what the other disks have more is taken over instead')
  .option('--bring-back', 'give back what was set aside, where its name is free')
  .addOption(jsonOption())
  .action((options: DisksOptions) =>
    run(options, async (context) =>
      (await import('./store/disks.js')).disksCommand(options, context),
    ),
  );

program
  .command('upload')
  .description('store a snapshot: critical pages three times, expendable pages once')
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
    run(options, async (context) =>
      (await import('./upload/upload.js')).uploadCommand(image, options, context),
    ),
  );

program
  .command('list')
  .description('list the snapshots of a store')
  .addOption(storeOption().makeOptionMandatory())
  .addOption(jsonOption())
  .action((options: ListOptions) =>
    run(options, async (context) =>
      (await import('./store/list.js')).listCommand(options, context),
    ),
  );

program
  .command('show')
  .description('show what a snapshot holds')
  .argument('<id>', 'its id, or the first digits of it')
  .addOption(storeOption().makeOptionMandatory())
  .addOption(jsonOption())
  .action((id: string, options: ShowOptions) =>
    run(options, async (context) =>
      (await import('./store/show.js')).showCommand(id, options, context),
    ),
  );

program
  .command('report')
  .description('compare what storing by page takes, risks and costs with every other way')
  .argument('[id]', 'a snapshot: its id, or the first digits of it')
  .addOption(storeOption('where snapshots are'))
  .option('--vm <name>', 'instead: all snapshots of a VM, over time')
  .option('--fleet', 'instead: all snapshots of the store')
  .option('--compare <ids...>', 'instead: two snapshots, beside each other')
  .option('--estimate <image>', 'instead: an image; nothing is stored')
  .option(
    '--image <file>',
    "the snapshot's memory as a file: its bytes are compressed in every way to be compared",
  )
  .option(
    '--disk <[name=]file>',
    "with an image: raw disk of the same moment, for the policies disk and lean; may be given again, with the guest's names such as vda=",
    collect,
  )
  .addOption(formatOption())
  .addOption(mapOption())
  .addOption(stateOption())
  .option('--nodes <count>', 'DataNodes of the cluster (default: those that hold it, else 10)')
  .option('--failure-rate <rate>', 'failures of a node in a year (default: 0.05)')
  .option('--repair-hours <hours>', 'until what a failed node held is there again (default: 1)')
  .option('--link <rate>', 'bytes per second between client and cluster (default: 125000000)')
  .option('--price <number>', 'of 10^12 bytes on disk for a month')
  .option('--html <file>', 'write it as one page that needs nothing else, with pictures')
  .option('--csv <file>', 'write its rows for a spreadsheet')
  .option('--markdown <file>', 'write it for a merge request')
  .addOption(jsonOption())
  .action((id: string | undefined, options: ReportOptions) =>
    run(options, async (context) =>
      (await import('./report/report.js')).reportCommand(id, options, context),
    ),
  );

program
  .command('restore')
  .description(
    'write a snapshot back to DIR/ram and DIR/state, or to one file named as its format, and its disks to DIR/disk-NAME.img',
  )
  .argument('<id>', 'its id, or the first digits of it')
  .addOption(storeOption().makeOptionMandatory())
  .requiredOption('--out <dir>', 'folder to write to; made when missing')
  .addOption(
    new Option(
      '--output-format <name>',
      'a stream is rebuilt from RAM and the device state of one (default: raw; with --resume: what the VM can be started from)',
    ).choices(['raw', 'migration', 'libvirt-save']),
  )
  .option('--allow-lost', 'write the image although pages are lost for good; those read as zero')
  .option('--no-heal', 'refuse when pages are lost, also those that can be healed')
  .option(
    '--heal-unreachable',
    'take pages for lost that the store lists and this machine cannot reach: nodes that do not answer, disks that are not there',
  )
  .addOption(
    new Option(
      '--resume [mode]',
      'start the VM from what was restored (run), or only write DIR/resume.sh, which does (write); by QEMU, or by libvirt where it was saved by it. It is shown and asked about before, on a terminal; elsewhere it takes --trust-machine',
    ).choices(['run', 'write']),
  )
  .option(
    '--machine <file>',
    "with --resume: the VM's QEMU command line, instead of the one that was stored",
  )
  .option(
    '--replace <old=new>',
    'with --resume: a path of the command line, and the one to take instead; may be given again',
    collect,
  )
  .option(
    '--trust-machine',
    'with --resume: start the VM without asking, whatever its command line or XML does to this host: run programs, open files, listen',
  )
  .option(
    '--trust-path <path>',
    'with --resume: a file, device, socket or QEMU of this host that the machine may use as it says; may be given again',
    collect,
  )
  .option(
    '--connect <uri>',
    'with --resume of a VM from libvirt: as `virsh -c` (default: LIBVIRT_DEFAULT_URI, or as virsh)',
  )
  .option(
    '--disk <[name=]file>',
    "raw disk image of the snapshot's moment, for pages stored as what it holds; may be given again",
    collect,
  )
  .option('--without-disks', 'leave out the disks that were stored with it')
  .addOption(jsonOption())
  .action((id: string, options: RestoreOptions) =>
    run(options, async (context) =>
      (await import('./restore/restore.js')).restoreCommand(id, options, context),
    ),
  );

program
  .command('verify')
  .description('check that a snapshot could be restored, and tell what it would survive')
  .argument('<id>', 'its id, or the first digits of it')
  .addOption(storeOption().makeOptionMandatory())
  .option('--read-data', 'read and check every page too')
  .addOption(jsonOption())
  .action((id: string, options: VerifyOptions) =>
    run(options, async (context) =>
      (await import('./store/verify.js')).verifyCommand(id, options, context),
    ),
  );

program
  .command('delete')
  .description('delete a snapshot and the files that no other one uses')
  .argument('<id>', 'its id, or the first digits of it')
  .addOption(storeOption().makeOptionMandatory())
  .addOption(jsonOption())
  .action((id: string, options: DeleteOptions) =>
    run(options, async (context) =>
      (await import('./store/delete.js')).deleteCommand(id, options, context),
    ),
  );

program
  .command('forget')
  .description('delete the snapshots that none of the --keep options keeps, for each VM by itself')
  .addOption(storeOption().makeOptionMandatory())
  .option('--name <vm>', 'a VM to go through (default: all); may be given again', collect)
  .option('--keep-last <n>', 'keep the last n snapshots')
  .option('--keep-hourly <n>', 'keep the newest of each of the last n hours that have a snapshot')
  .option('--keep-daily <n>', 'keep the newest of each of the last n days that have a snapshot')
  .option('--keep-weekly <n>', 'keep the newest of each of the last n weeks that have a snapshot')
  .option('--keep-monthly <n>', 'keep the newest of each of the last n months that have a snapshot')
  .option('--dry-run', 'tell what would be kept and removed, and remove nothing')
  .addOption(jsonOption())
  .action((options: ForgetOptions) =>
    run(options, async (context) =>
      (await import('./store/forget.js')).forgetCommand(options, context),
    ),
  );

program
  .command('prune')
  .description('remove what killed uploads have left in the store')
  .addOption(storeOption().makeOptionMandatory())
  .option(
    '--older-than <age>',
    'only what has not changed for so long, such as 24h or 7d; at least 1h',
    '24h',
  )
  .option('--dry-run', 'tell what would be removed, and remove nothing')
  .addOption(jsonOption())
  .action((options: PruneOptions) =>
    run(options, async (context) =>
      (await import('./store/prune.js')).pruneCommand(options, context),
    ),
  );

addCallerCommands(addHookCommands(program, run, jsonOption), run, jsonOption);

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** What no command could catch. It is said as any other error is, and nothing else is done any more. */
function failUncaught(error: unknown): never {
  process.exit(reportError(error, { isJson: false }));
}

watchStreams();
process.on('uncaughtException', failUncaught);
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) {
    failUncaught(error);
  } else {
    // Help and version come as errors too, with exit code 0.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodeOfError.usage;
    if (error.exitCode !== 0 && process.argv.includes('--json')) {
      writeJson({ error: { code: 'usage', message: error.message.replace(/^error: /, '') } });
    }
  }
}
