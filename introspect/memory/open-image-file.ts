// Opens guest RAM whatever it comes in: the format is known by the content, or said.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ParsError } from '../pars-error.js';
import { cloudHypervisorOpener } from './formats/cloud-hypervisor.js';
import { elfOpener } from './formats/elf-core.js';
import { firecrackerOpener } from './formats/firecracker.js';
import { libvirtSaveOpener } from './formats/libvirt-save.js';
import { migrationOpener } from './formats/migration-stream.js';
import { rawOpener } from './formats/raw-file.js';
import { refuseKnownFormats } from './formats/refused-formats.js';
import { libvmiOpener } from './libvmi/libvmi.js';
import {
  type ImageFormat,
  imageHeadSizeBytes,
  type ImageOpener,
  type MemoryImage,
  type OpenOptions,
} from './memory-image.js';

/** In the order asked: by the name, then by the first bytes, then by what lies beside the file. */
const openers: Readonly<Record<ImageFormat, ImageOpener>> = {
  libvmi: libvmiOpener,
  elf: elfOpener,
  migration: migrationOpener,
  'libvirt-save': libvirtSaveOpener,
  'cloud-hypervisor': cloudHypervisorOpener,
  firecracker: firecrackerOpener,
  raw: rawOpener,
};

export interface OpenImageOptions extends OpenOptions {
  /** Overrides what the content says. */
  readonly format?: ImageFormat | undefined;
}

/** Throws `image-invalid` when the image is missing or damaged, `unsupported` when it is of a format that is not read. */
export function openImage(path: string, options: OpenImageOptions = {}): MemoryImage {
  const { format, mapPath } = options;
  const opener = format === undefined ? recognise(path) : openers[format];
  if (mapPath !== undefined && opener.takesMap !== true) {
    throw new ParsError(
      'usage',
      `${path} is read as ${opener.format}, which takes no map: leave out ${mapPath}, or state --format raw`,
    );
  }
  return opener.open(path, { mapPath });
}

function recognise(path: string): ImageOpener {
  const { head, sizeBytes } = beginningOf(path);
  refuseKnownFormats(head, sizeBytes, path);
  return Object.values(openers).find((entry) => entry.recognises(head, path)) ?? rawOpener;
}

/** Empty for a folder or what cannot be opened: the opener says what is wrong with it. */
function beginningOf(path: string): { readonly head: Buffer; readonly sizeBytes: number } {
  const head = Buffer.alloc(imageHeadSizeBytes);
  const nothing = { head: head.subarray(0, 0), sizeBytes: 0 };
  let fd: number;
  try {
    // Opening a pipe would otherwise wait for its writer.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return nothing;
  }
  try {
    const length = readSync(fd, head, 0, head.length, 0);
    return { head: head.subarray(0, length), sizeBytes: fstatSync(fd).size };
  } catch {
    return nothing;
  } finally {
    closeSync(fd);
  }
}
