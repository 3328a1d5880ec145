// What was captured of a VM at one moment, as a folder: `captured.json` names the files beside it. The folder is whole once
// that file is there; it is written last.
//
// An entry of the spool is such a folder, and `pars upload --captured DIR` stores one.
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { z } from 'zod';
import { imageFormats } from '../../introspect/memory/memory-image.js';
import { ParsError } from '../../introspect/pars-error.js';
import { boundedArray, moment } from '../flow/bounded.js';
import { diskError } from '../host/disk-error.js';
import { replaceFile } from '../host/durable-file.js';
import { readSmallFile } from '../host/read-small-file.js';

export const capturedFile = 'captured.json';
/** 255 disks with the longest of paths do not fill it. */
const maxFileBytes = 4 * 2 ** 20;

/** A name within the folder. */
const fileName = z
  .string()
  .max(255)
  .regex(/^(?!\.{1,2}$)[^/\0]+$/, 'expected the name of a file beside it');
/** A path, or a name. */
const text = z.string().max(4096);

const identityPart = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 printable characters without spaces')
  .optional();

const capturedSchema = z.object({
  version: z.literal(1),
  vm: text,
  /** Which VM it is, apart from its name (src/manifest/types.ts `VmIdentity`). */
  identity: z.object({ uuid: identityPart, id: identityPart, host: identityPart }).optional(),
  /** The moment of the snapshot, in milliseconds since 1970, UTC. */
  createdMs: moment,
  /** Who brought it, such as `qmp` or `libvirt`. */
  source: text,
  image: z.object({ file: fileName, format: z.enum(imageFormats).optional() }),
  /** Device state beside the image. Absent where the image has it, or there is none. */
  state: fileName.optional(),
  /** The machine's command line, as `--machine` takes it. */
  machine: fileName.optional(),
  /** Raw images of the VM's disks at the same moment. */
  disks: boundedArray(
    z.object({
      /** The VM's own name for it; one segment of a store name. */
      name: text,
      file: fileName,
      /** Where the VM had it. */
      sourcePath: text,
      /** What it was there, `raw` or `qcow2` for example. */
      sourceFormat: text,
      /** Where the VM has it encrypted: here it is not. */
      wasEncrypted: z.literal(true).optional(),
    }),
    255,
  ),
  /** How long the VM stood still, and in which way it was captured; absent where that is not known. */
  downtimeMs: z.number().min(0).optional(),
  way: text.optional(),
});

export type Captured = z.infer<typeof capturedSchema>;

/** Equal for two captures of one VM, and for no others: by its name and all of its identity. */
export function vmGroup({ vm, identity }: Pick<Captured, 'vm' | 'identity'>): string {
  return JSON.stringify([vm, identity?.uuid, identity?.id, identity?.host]);
}

const fileSchema = capturedSchema.extend({
  /**
   * CRC32C of the rest. Its moment and its VM decide what a full spool drops, so a flipped bit must not make others. Absent
   * where another program, or an older one, wrote it.
   */
  checksum: z
    .string()
    .regex(/^[0-9a-f]{8}$/, 'expected 8 hexadecimal digits')
    .optional(),
});

/** Throws `not-found` when the folder is not whole, `image-invalid` when the file is not of this form. */
export async function readCaptured(folder: string): Promise<Captured> {
  const path = join(folder, capturedFile);
  const content = await readSmallFile(path, maxFileBytes).catch((error: unknown) => {
    if (error instanceof ParsError) {
      throw error;
    }
    throw diskError(error, `cannot read ${path}, which a captured snapshot ends with`);
  });
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new ParsError('image-invalid', `${path} is no JSON`, { cause: error });
  }
  const { checksum, ...captured } = parsedAs(fileSchema, value, path);
  if (checksum !== undefined && checksum !== checksumOf(captured)) {
    throw new ParsError('image-invalid', `${path} does not match its own checksum`);
  }
  return captured;
}

function parsedAs<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0];
    throw new ParsError('image-invalid', `${path}: ${place.join('.')}: ${message}`);
  }
  return parsed.data;
}

function checksumOf(captured: Captured): string {
  return crc32c(JSON.stringify(captured)).toString(16).padStart(8, '0');
}

/** Makes the folder whole. What the other files hold must be on the disk by then. Throws `image-invalid` for what could not be read back. */
export async function writeCaptured(folder: string, captured: Captured): Promise<void> {
  const path = join(folder, capturedFile);
  // As it is read back: keys in the schema's order, and none that it does not know.
  const known = parsedAs(capturedSchema, captured, path);
  const value = { ...known, checksum: checksumOf(known) };
  await replaceFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
