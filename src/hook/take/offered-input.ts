// What `pars hook run` is asked for: by its option, by variables of the environment, or by JSON on its standard input.
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { z } from 'zod';
import { imageFormats } from '../../../introspect/memory/memory-image.js';
import { ParsError } from '../../../introspect/pars-error.js';
import { parsePeerJson } from '../../../introspect/peer-json.js';
import { expectVmName } from '../../catalog/vm-name.js';
import { parseDiskArgument } from '../../disk/guest-disks.js';
import { messageOf } from '../../flow/message-of.js';
import { diskError } from '../../host/disk-error.js';
import { givenIdentity, vmIdForm, vmIdPattern } from '../../vm/vm-identity.js';
import type { HookConfig } from '../config.js';
import type { LiveVm } from './capture-into-spool.js';
import type { OfferedSnapshot } from './offer.js';

export type HookRequest =
  | { readonly kind: 'files'; readonly offered: OfferedSnapshot }
  | { readonly kind: 'live'; readonly live: LiveVm };

const path = z.string().min(1);
const inputSchema = z
  .strictObject({
    vm: z.string(),
    vmId: z.string().regex(vmIdPattern, `expected ${vmIdForm}`),
    image: path,
    format: z.enum(imageFormats),
    state: path,
    machine: path,
    disks: z.array(z.strictObject({ name: z.string(), path })),
    qmp: path,
    link: z.boolean(),
  })
  .partial();

type HookInput = z.infer<typeof inputSchema>;

export interface InputSources {
  /** `--vm` */
  readonly vm: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** The text of standard input; called only where nothing else says what to take. */
  readonly readInput: () => Promise<string>;
}

/** Throws `usage` when it is not clear what to take. */
export async function readHookRequest(
  sources: InputSources,
  config: HookConfig,
): Promise<HookRequest> {
  const fromEnvironment = inputOfEnvironment(sources.environment);
  const isTold = [fromEnvironment.image, fromEnvironment.qmp, sources.vm].some(
    (value) => value !== undefined,
  );
  const input = isTold ? fromEnvironment : inputOfText(await sources.readInput(), fromEnvironment);
  const vm = sources.vm ?? input.vm;
  const remedy = 'give --vm NAME, PARS_VM, or "vm" in the JSON on standard input';
  if (vm === undefined) {
    throw new ParsError('usage', `expected the name of a VM, found none; ${remedy}`);
  }
  expectVmName(vm, remedy);
  return await requestOf(vm, input, config);
}

async function requestOf(vm: string, input: HookInput, config: HookConfig): Promise<HookRequest> {
  const known = Object.hasOwn(config.vms, vm) ? config.vms[vm] : undefined;
  const { image } = input;
  const vmId = input.vmId ?? known?.id;
  if (image === undefined) {
    const files = [input.format, input.state, input.disks, input.link];
    const qmp = input.qmp ?? known?.qmp;
    if (qmp === undefined) {
      throw new ParsError(
        'usage',
        `nothing says what to take of ${vm}: give PARS_IMAGE, PARS_QMP, or vms.${vm}.qmp in ${config.path}`,
      );
    }
    if (files.some((value) => value !== undefined)) {
      throw new ParsError(
        'usage',
        `format, state, disks and link go with an image: ${vm} is captured through ${qmp}, which gives them itself`,
      );
    }
    const machine = input.machine ?? known?.machine;
    return {
      kind: 'live',
      live: {
        vm,
        qmpPath: resolve(qmp),
        machinePath: machine === undefined ? undefined : resolve(machine),
        source: 'qmp',
        ...(vmId === undefined ? {} : { vmId }),
      },
    };
  }
  if (input.qmp !== undefined) {
    throw new ParsError(
      'usage',
      `found both an image and a QMP socket for ${vm}; give one of them`,
    );
  }
  const { mtimeMs } = await stat(image).catch((error: unknown) => {
    throw diskError(error, `cannot look at the image ${image}`);
  });
  return {
    kind: 'files',
    offered: {
      vm,
      image: resolve(image),
      format: input.format,
      state: input.state === undefined ? undefined : resolve(input.state),
      machine: input.machine ?? known?.machine,
      disks: (input.disks ?? []).map((disk) => ({
        name: disk.name,
        path: resolve(disk.path),
        sourcePath: resolve(disk.path),
        sourceFormat: 'raw',
      })),
      // Written last, the image tells when the VM stood still better than the clock now does.
      createdMs: Math.trunc(mtimeMs),
      source: 'run',
      ...(vmId === undefined ? {} : { identity: givenIdentity(vmId) }),
      link: input.link ?? false,
    },
  };
}

function inputOfEnvironment(environment: NodeJS.ProcessEnv): HookInput {
  const valueOf = (name: string): string | undefined => {
    const value = environment[name];
    return value === '' ? undefined : value;
  };
  const disks = valueOf('PARS_DISKS');
  return checked(
    {
      vm: valueOf('PARS_VM'),
      vmId: valueOf('PARS_VM_ID'),
      image: valueOf('PARS_IMAGE'),
      format: valueOf('PARS_FORMAT'),
      state: valueOf('PARS_STATE'),
      machine: valueOf('PARS_MACHINE'),
      disks: disks === undefined ? undefined : disks.trim().split(/\s+/).map(diskOf),
      qmp: valueOf('PARS_QMP'),
      link: valueOf('PARS_LINK') === undefined ? undefined : valueOf('PARS_LINK') === '1',
    },
    (key) => (key === 'vmId' ? 'PARS_VM_ID' : `PARS_${key.toUpperCase()}`),
  );
}

/** `vda=/images/vm.raw`; a disk without a name is called as its file. */
function diskOf(text: string): { readonly name: string; readonly path: string } {
  const { name, path: diskPath } = parseDiskArgument(text);
  return { name: name ?? basename(diskPath), path: diskPath };
}

function inputOfText(text: string, base: HookInput): HookInput {
  if (text.trim() === '') {
    return base;
  }
  let value: unknown;
  try {
    value = parsePeerJson(text);
  } catch (error) {
    throw new ParsError(
      'usage',
      `expected JSON on standard input, such as {"vm": "web", "image": "/dumps/web.mem"}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return checked(value, (key) => `"${key}" on standard input`);
}

function checked(value: unknown, nameOf: (key: string) => string): HookInput {
  const parsed = inputSchema.safeParse(value);
  if (parsed.success) {
    return parsed.data;
  }
  const sentences = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.map(nameOf).join(', ')} is not known`
      : issue.path.length === 0
        ? `expected a JSON object: ${issue.message}`
        : `${nameOf(String(issue.path[0]))}: ${issue.message}`,
  );
  throw new ParsError('usage', sentences.join('; '));
}
