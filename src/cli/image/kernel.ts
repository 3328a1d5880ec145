// pars kernel IMAGE: which kernel is in there, and what of it was found where.
import type { Command } from 'commander';
import {
  describeKernel,
  type KernelDescription,
} from '../../../introspect/explain/describe-kernel.js';
import { Inconsistency } from '../../../introspect/inconsistency.js';
import {
  findKernel,
  type Introspected,
  type Running,
} from '../../../introspect/label/find-kernel.js';
import { type MemoryRegion } from '../../../introspect/memory/physical-memory.js';
import { type Lines, paragraphs } from '../../text/standard-streams.js';
import { exitCodes } from '../shared/exit-code.js';
import {
  formatBytes,
  formatHex,
  formatLines,
  formatTable,
  toJson,
  wrapText,
} from '../shared/format.js';
import {
  formatOption,
  imageMeaning,
  jsonOption,
  mapOption,
  stateOption,
} from '../shared/options/common.js';
import { type ImageArguments, openImageArgument } from '../shared/options/image-argument.js';
import { type CommandContext, type CommonOptions, runCommand } from '../shared/run-command.js';

/** So long are lines that are read on a terminal. */
const columnCount = 80;

export interface KernelOptions extends CommonOptions, ImageArguments {}

export function configure(command: Command): void {
  command
    .argument('<image>', imageMeaning)
    .addOption(formatOption())
    .addOption(mapOption())
    .addOption(stateOption())
    .addOption(jsonOption())
    .action((image: string, options: KernelOptions) =>
      runCommand(options, (context) => kernelCommand(image, options, context)),
    );
}

export function kernelCommand(
  imagePath: string,
  options: KernelOptions,
  { print, warn }: CommandContext,
): number {
  const image = openImageArgument(imagePath, options);
  try {
    const introspected = findKernel(image);
    const { regions } = introspected.memory;
    const described = describe(introspected);
    const running = introspected.found ? introspected.running : undefined;
    const about = { format: image.format, regions };
    if (described.kernel === undefined) {
      warn(`the kernel cannot be described: ${described.reason}`);
    }
    print(
      {
        image: about,
        kernel: described.kernel === undefined ? null : toJson(described.kernel),
        running:
          running?.proven === true
            ? { proven: true, cpuCount: running.cpus.length }
            : (running ?? null),
        reason: described.reason ?? null,
      },
      () =>
        paragraphs([
          formatLines([['image format', image.format]]),
          regionTable(regions),
          described.kernel === undefined
            ? `No kernel found: ${described.reason}`
            : kernelText(described.kernel),
          ...(running === undefined ? [] : [wrapText(runningText(running), columnCount, 0)]),
        ]),
    );
    return described.exitCode;
  } finally {
    image.close();
  }
}

type Described =
  | { readonly kernel: KernelDescription; readonly reason?: undefined; readonly exitCode: number }
  | { readonly kernel?: undefined; readonly reason: string; readonly exitCode: number };

function describe(introspected: Introspected): Described {
  if (!introspected.found) {
    return { reason: introspected.reason, exitCode: exitCodes.noKernel };
  }
  try {
    return { kernel: describeKernel(introspected), exitCode: exitCodes.ok };
  } catch (error) {
    if (error instanceof Inconsistency) {
      return { reason: error.message, exitCode: exitCodes.inconsistent };
    }
    throw error;
  }
}

function runningText(running: Running): string {
  return running.proven
    ? `It is the one that runs: all CPUs that were started, of ${running.cpus.length}, have its page tables.`
    : `Whether it is the one that runs is not proven: ${running.reason}.`;
}

function regionTable(regions: readonly MemoryRegion[]): Lines {
  return formatTable(
    ['guest-physical', 'image offset', 'size'],
    regions.map(({ gpaStart, sizeBytes, imageOffset }) => [
      range(gpaStart, gpaStart + sizeBytes),
      formatHex(imageOffset),
      formatBytes(sizeBytes),
    ]),
    ['left', 'right', 'right'],
  );
}

function kernelText(kernel: KernelDescription): Lines {
  const { text, btf, kallsyms, memmap, vmcoreinfo } = kernel;
  const known = (value: number | bigint | undefined): string =>
    value === undefined ? '-' : formatHex(value);
  return paragraphs([
    formatLines([
      ['release', kernel.release],
      ['build id', kernel.buildId === '' ? '-' : kernel.buildId],
      [
        'VMCOREINFO',
        vmcoreinfo === undefined
          ? 'found, but not where the kernel itself keeps it'
          : `gpa ${formatHex(vmcoreinfo.gpa)}, image offset ${formatHex(vmcoreinfo.imageOffset)}`,
      ],
      ['phys_base', known(kernel.physicalBase)],
      ['KASLR offset', known(kernel.kaslrOffset)],
      ['swapper_pg_dir', `gpa ${formatHex(kernel.pageTableRoot)}`],
      ['paging', `${kernel.pagingLevels} levels`],
      ['_text .. _end', `${known(text.start)} .. ${known(text.end)}`],
      ['', `at gpa ${known(text.gpa)}, ${sizeBetween(text.start, text.end)}`],
      ['direct map', known(kernel.directMapBase)],
      ['vmalloc', known(kernel.vmallocBase)],
      ['memmap', `${formatHex(memmap.base)}, ${vmemmapAgrees(kernel)}`],
      ['struct page', `${memmap.structPageBytes} bytes`],
      [
        'sections',
        `${memmap.onlineSectionCount} of ${memmap.sectionCount} online, ${formatBytes(memmap.sectionBytes)} each`,
      ],
      [
        'kallsyms',
        `${kallsyms.symbolCount} symbols, names at ${formatHex(kallsyms.names)}, ` +
          (kallsyms.source === 'scan' ? 'found by scan' : 'stated in VMCOREINFO'),
      ],
      [
        'BTF',
        btf.typeCount === 0
          ? 'none: only free pages can be told from others'
          : `${btf.typeCount} types, ${btf.sizeBytes ?? '-'} bytes at ${known(btf.address)}`,
      ],
    ]),
    nodeTable(kernel),
    zoneTable(kernel),
    cpuTable(kernel),
  ]);
}

function vmemmapAgrees({ memmap, vmemmapBase }: KernelDescription): string {
  return vmemmapBase === undefined
    ? 'as the sections state it'
    : memmap.base === vmemmapBase
      ? 'as vmemmap_base and the sections state it'
      : `as the sections state it; vmemmap_base states ${formatHex(vmemmapBase)}`;
}

function nodeTable({ nodes }: KernelDescription): Lines {
  return formatTable(
    ['node', 'frames', 'spanned', 'present'],
    nodes.map(({ number, startPfn, spannedPageCount, presentPageCount }) => [
      String(number),
      startPfn === undefined || spannedPageCount === undefined
        ? '-'
        : range(startPfn, startPfn + spannedPageCount),
      count(spannedPageCount),
      count(presentPageCount),
    ]),
    ['right', 'left', 'right', 'right'],
  );
}

function zoneTable({ zones }: KernelDescription): Lines {
  return formatTable(
    ['node', 'zone', 'frames', 'spanned', 'present', 'managed', 'free'],
    zones.map((zone) => [
      String(zone.node),
      zone.name,
      range(zone.startPfn, zone.endPfn),
      String(zone.endPfn - zone.startPfn),
      count(zone.presentPageCount),
      count(zone.managedPageCount),
      String(zone.freePageCount),
    ]),
    ['right', 'left', 'left', 'right', 'right', 'right', 'right'],
  );
}

function cpuTable({ cpus }: KernelDescription): Lines {
  return formatTable(
    ['CPU', 'state', 'per-CPU offset'],
    cpus.map(({ number, online, offset }) => [
      String(number),
      online ? 'online' : 'offline',
      formatHex(offset),
    ]),
    ['right', 'left', 'right'],
  );
}

/** The end as the last that belongs to it, as in /proc/iomem. */
function range(start: number, end: number): string {
  return `${formatHex(start)}-${formatHex(end - 1)}`;
}

function count(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

function sizeBetween(start: bigint | undefined, end: bigint | undefined): string {
  return start === undefined || end === undefined ? '-' : formatBytes(Number(end - start));
}
