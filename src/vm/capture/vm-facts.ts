// What a running QEMU says of itself, as far as a snapshot's way depends on it. Nothing of the VM is changed but for two
// capabilities that are tried, put back as they were: QEMU itself knows best whether the host can do it.
//
// (QEMU qapi/migration.json, block-core.json, machine.json)
import { z } from 'zod';
import { memberOf } from '../../../introspect/memory/json-file.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { parsePeerJson } from '../../../introspect/peer-json.js';
import { normalUuid } from '../qemu/machine-uuid.js';
import { askQmp } from '../qmp/ask-qmp.js';
import type { QmpClient, QmpCommand } from '../qmp/qmp-client.js';
import { QmpCommandError } from '../qmp/qmp-command-error.js';
import { driveNames, peripheralId } from './disks/drive-names.js';
import { ownPrefix } from './own-names.js';

/** One image of a chain. */
export interface ImageLayer {
  readonly path: string;
  readonly format: string;
}

export interface VmDisk {
  /** The path by which `qom-set` reaches the device. */
  readonly qomPath: string;
  /** The node of the disk's image in QEMU's block graph. */
  readonly nodeName: string;
  /** One segment of a store name. */
  readonly name: string;
  /** As QEMU says it: below the folder that it was started in, where it is relative. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
  /** The image that QEMU has now, which is always there, and what lies under it. */
  readonly layers: readonly ImageLayer[];
  /** The id of the drive, as the command line or QEMU named it. */
  readonly driveId: string;
  /** The id of the device, where the command line gave it one. */
  readonly deviceId: string | undefined;
  /** On its host: QEMU has the key, and shows the guest what it holds. */
  readonly isEncrypted: boolean;
  readonly sizeBytes: number;
  /** What the image takes on its host. */
  readonly allocatedBytes: number;
}

export interface VmFacts {
  readonly qemuVersion: string;
  /** The UUID of the machine; undefined where it was given none. */
  readonly uuid?: string | undefined;
  /** The ids of the devices that have one, also of those that were plugged in later. */
  readonly deviceIds: readonly string[];
  /** QEMU's `RunState`. */
  readonly status: string;
  readonly ramSizeBytes: number;
  /** Why QEMU cannot save RAM in the background here; undefined when it can. */
  readonly backgroundSnapshot: string | undefined;
  /** Why QEMU cannot let the VM's disks be read while it runs; undefined when it can. */
  readonly diskExports: string | undefined;
  readonly mappedRam: string | undefined;
  /** The file that is the VM's whole RAM, when it is shared and alone. */
  readonly sharedRam: { readonly path: string } | { readonly missing: string };
  readonly disks: readonly VmDisk[];
  /** Drives that are no part of a snapshot, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  /** As they were found. */
  readonly settings: MigrationSettings;
}

export interface MigrationSettings {
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** How many images over images are followed: what lies deeper is no place on a command line. */
const deepestChain = 64;

const versionSchema = z.object({
  qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }),
});
const uuidSchema = z.object({ UUID: z.string() });
const nodesSchema = z.array(z.object({ name: z.string(), type: z.string() }));
const statusSchema = z.object({ status: z.string() });
const memorySchema = z.object({
  'base-memory': z.int().min(0),
  'plugged-memory': z.int().min(0).optional(),
});
const memdevsSchema = z.array(
  z.object({ id: z.string().optional(), size: z.int().min(0), share: z.boolean().optional() }),
);
const capabilitiesSchema = z.array(z.object({ capability: z.string(), state: z.boolean() }));
const iothreadsSchema = z.array(z.object({ id: z.string() }));
const parametersSchema = z.record(z.string(), z.unknown());
const imageSchema = z.object({
  filename: z.string(),
  format: z.string(),
  encrypted: z.boolean().optional(),
  get 'backing-image'() {
    return imageSchema.optional();
  },
});
const drivesSchema = z.array(
  z.object({
    device: z.string(),
    qdev: z.string().optional(),
    removable: z.boolean(),
    inserted: z
      .object({
        'node-name': z.string().optional(),
        ro: z.boolean(),
        drv: z.string(),
        image: imageSchema.extend({
          'virtual-size': z.int().min(0),
          'actual-size': z.int().min(0).optional(),
        }),
      })
      .optional(),
  }),
);

/** `beforeTrying`: called before anything is changed, so that it can be written down. */
export async function readVmFacts(
  qmp: QmpClient,
  beforeTrying?: (settings: MigrationSettings) => Promise<void>,
): Promise<VmFacts> {
  const ask = <T>(command: string, schema: z.ZodType<T>): Promise<T> =>
    askQmp(qmp, command, schema);
  const { qemu } = await ask('query-version', versionSchema);
  const { UUID } = await ask('query-uuid', uuidSchema);
  const { status } = await ask('query-status', statusSchema);
  const memory = await ask('query-memory-size-summary', memorySchema);
  const capabilities = Object.fromEntries(
    (await ask('query-migrate-capabilities', capabilitiesSchema)).map(({ capability, state }) => [
      capability,
      state,
    ]),
  );
  const parameters = await ask('query-migrate-parameters', parametersSchema);
  const drives = await ask('query-block', drivesSchema);
  await beforeTrying?.({ capabilities, parameters });
  const ramSizeBytes = memory['base-memory'] + (memory['plugged-memory'] ?? 0);
  return {
    qemuVersion: `${qemu.major}.${qemu.minor}.${qemu.micro}`,
    uuid: normalUuid(UUID),
    deviceIds: await deviceIdsOf(qmp),
    status,
    ramSizeBytes,
    backgroundSnapshot: await whyNot(qmp, capabilities, 'background-snapshot'),
    diskExports: whyNoExports(qemu.major, await ask('query-iothreads', iothreadsSchema)),
    mappedRam: await whyNot(qmp, capabilities, 'mapped-ram'),
    sharedRam: await sharedRamOf(qmp, await ask('query-memdev', memdevsSchema), ramSizeBytes),
    ...disksOf(drives),
    settings: { capabilities, parameters },
  };
}

async function deviceIdsOf(qmp: QmpClient): Promise<readonly string[]> {
  try {
    const nodes = await askQmp(qmp, 'qom-list', nodesSchema, { path: '/machine/peripheral' });
    return nodes.filter(({ type }) => type.startsWith('child<')).map(({ name }) => name);
  } catch (error) {
    // The folder of QEMU's tree comes with the first of them.
    if (error instanceof QmpCommandError) {
      return [];
    }
    throw error;
  }
}

/** Before 9.0 the NBD server let go of a client in the disk's own thread; in 7.2.22 QEMU aborts then, and the VM with it. */
function whyNoExports(major: number, iothreads: readonly unknown[]): string | undefined {
  return major < 9 && iothreads.length > 0
    ? 'the VM has iothreads, and before 9.0 QEMU can crash when their disks are read by others'
    : undefined;
}

/** Switches the capability on and off again. */
async function whyNot(
  qmp: QmpClient,
  capabilities: Readonly<Record<string, boolean>>,
  capability: string,
): Promise<string | undefined> {
  if (!(capability in capabilities)) {
    return 'this QEMU does not know it';
  }
  const others = Object.entries(capabilities).filter(([, isOn]) => isOn);
  const setting = (state: boolean): QmpCommand => {
    // QEMU refuses some pairs.
    const rest = others.map(([name]) => ({ capability: name, state: !state }));
    const own = { capability, state };
    return {
      execute: 'migrate-set-capabilities',
      arguments: { capabilities: state ? [...rest, own] : [own, ...rest] },
    };
  };
  // Together, so that nothing of this process lies between on and off.
  const [on, off] = qmp.send([setting(true), setting(false)]);
  await off;
  try {
    await on;
    return undefined;
  } catch (error) {
    if (error instanceof QmpCommandError) {
      return error.description;
    }
    throw error;
  }
}

async function sharedRamOf(
  qmp: QmpClient,
  memdevs: z.infer<typeof memdevsSchema>,
  ramSizeBytes: number,
): Promise<VmFacts['sharedRam']> {
  const shared = memdevs.filter(({ share }) => share === true);
  if (shared.length !== 1 || shared[0].size !== ramSizeBytes || shared[0].id === undefined) {
    return { missing: 'its RAM is not one shared file (memory-backend-file,share=on)' };
  }
  try {
    const path = await qmp.execute('qom-get', {
      path: `/objects/${shared[0].id}`,
      property: 'mem-path',
    });
    return typeof path === 'string' && path.startsWith('/')
      ? { path }
      : { missing: 'its shared RAM has no absolute path' };
  } catch (error) {
    if (error instanceof QmpCommandError) {
      return { missing: 'its shared RAM is no file' };
    }
    throw error;
  }
}

function disksOf(drives: z.infer<typeof drivesSchema>): Pick<VmFacts, 'disks' | 'leftOut'> {
  const disks: VmDisk[] = [];
  const leftOut: { name: string; why: string }[] = [];
  const names = driveNames(
    drives.map(({ device, qdev, inserted }) => ({
      device,
      qdev,
      nodeName: inserted?.['node-name'],
    })),
  );
  for (const [index, { device, qdev, removable, inserted }] of drives.entries()) {
    if (inserted === undefined) {
      continue;
    }
    const name = names[index];
    const nodeName = inserted['node-name'];
    const why =
      qdev === undefined || qdev === '' || nodeName === undefined
        ? 'no device of the VM uses it'
        : inserted.ro
          ? 'the VM cannot write to it'
          : removable
            ? 'its medium can be taken out'
            : qdev.startsWith('/machine/system.flash')
              ? 'it is the firmware'
              : undefined;
    if (why !== undefined || qdev === undefined || nodeName === undefined) {
      leftOut.push({ name, why: why ?? 'no device of the VM uses it' });
      continue;
    }
    if (nodeName.startsWith(ownPrefix)) {
      throw new ParsError(
        'unavailable',
        `an earlier snapshot still has its filter on the disk ${name}, and could not be cleaned up`,
      );
    }
    disks.push({
      // The property belongs to the device, of which this is virtio's inner half.
      qomPath: qdev.replace(/\/virtio-backend$/, ''),
      nodeName,
      name,
      sourcePath: pathOf(inserted.image.filename),
      sourceFormat: inserted.image.format,
      layers: imagesOf(inserted.image).map(({ filename, format }) => ({
        path: pathOf(filename),
        format,
      })),
      driveId: device,
      deviceId: peripheralId(qdev),
      isEncrypted: imagesOf(inserted.image).some(
        ({ format, encrypted }) => encrypted === true || format === 'luks',
      ),
      sizeBytes: inserted.image['virtual-size'],
      allocatedBytes: inserted.image['actual-size'] ?? inserted.image['virtual-size'],
    });
  }
  return { disks, leftOut };
}

type Image = z.infer<typeof imageSchema>;

function imagesOf(image: Image): readonly Image[] {
  const images: Image[] = [];
  for (
    let at: Image | undefined = image;
    at !== undefined && images.length < deepestChain;
    at = at['backing-image']
  ) {
    images.push(at);
  }
  return images;
}

/** QEMU writes what has more options than a path as `json:{...}`. */
function pathOf(filename: string): string {
  if (!filename.startsWith('json:')) {
    return filename;
  }
  try {
    const options = parsePeerJson(filename.slice('json:'.length));
    const path = memberOf(options, 'filename') ?? memberOf(memberOf(options, 'file'), 'filename');
    return typeof path === 'string' ? path : filename;
  } catch {
    return filename;
  }
}
