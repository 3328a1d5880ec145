// The CPUs' registers out of a migration stream's devices (qemu target/i386/machine.c, vmstate_x86_cpu; hw/core/cpu.c,
// vmstate_cpu_common).
//
//   4 full | u32 id | u8 length, name | u32 instance | u32 version | body | 0x7e footer | u32 id
//
// No section says how long its body is, but the description at the stream's end does, device after device in the order
// of the sections: it names each field with its size. So all devices are gone through from the first to the last, and
// what was read of the CPUs is believed only if every header and every footer stands where it must.
import { ParsError } from '../../pars-error.js';
import type { CpuState, CpuStates } from '../cpu-state.js';
import type { ImageFile } from '../image-file.js';
import { memberOf, parseJson } from '../json-file.js';
import { devicesEnd, findDescription } from './description.js';
import { sectionTypes } from './layout.js';
import type { FileRange } from './types.js';

const cpuDevice = 'cpu';
const commonDevice = 'cpu_common';
const stackPointerRegister = 4;
const privilegeMask = 3;
/** HF_GUEST_MASK of `hflags` (qemu target/i386/cpu.h). */
const nestedGuestBit = 1 << 21;
/** `mp_state` of a CPU that waits for another one to start it: KVM does not call that halted (linux/kvm.h). */
const waitingStates: readonly number[] = [1 /* UNINITIALIZED */, 2 /* INIT_RECEIVED */];
/** Nested structs in real descriptions are three deep. */
const depthLimit = 16;
/** QEMU allows 4096 CPUs; each has some devices of its own. */
const deviceLimit = 100_000;
/** The longest state of one device: the largest real ones, of graphics cards, have some ten megabytes. */
const bodyLimitBytes = 2 ** 31;
const headSizeBytes = 6;

/** Thrown and caught in here: the description and the bytes do not agree. */
class Disagreement extends Error {}

/** `rest`: the stream from the devices on. Never throws for what the bytes say. */
export function decodeCpus(file: ImageFile, rest: FileRange): CpuStates {
  try {
    return { known: true, cpus: cpusOf(file, rest) };
  } catch (error) {
    if (error instanceof Disagreement || error instanceof ParsError) {
      return { known: false, reason: `the device state does not tell: ${error.message}` };
    }
    throw error;
  }
}

function cpusOf(file: ImageFile, rest: FileRange): readonly CpuState[] {
  const description = findDescription(file, rest);
  if (description === undefined) {
    throw new Disagreement('it has no description of the devices (suppress-vmdesc is on?)');
  }
  const bytes = Buffer.alloc(description.endOffset - description.startOffset);
  file.read(description.startOffset, bytes);
  const devices = arrayOf(
    memberOf(parseJson(bytes.toString('utf8'), 'the description of the devices'), 'devices'),
  );
  if (devices.length > deviceLimit) {
    throw new Disagreement(`its description has ${devices.length} devices`);
  }
  const endOffset = devicesEnd(description);
  const registers = new Map<number, CpuState>();
  const halted = new Map<number, boolean>();
  let offset = rest.startOffset;
  for (const device of devices) {
    const { name, instance, bodyOffset } = readHead(file, offset, endOffset, device);
    const sizeBytes = sizeOfDevice(device);
    offset = readFooter(file, offset, bodyOffset + sizeBytes, endOffset);
    if (name === cpuDevice || name === commonDevice) {
      const body = Buffer.alloc(sizeBytes);
      file.read(bodyOffset, body);
      if (name === cpuDevice) {
        registers.set(instance, registersOf(device, body));
      } else {
        halted.set(instance, body.readUInt32BE(fieldAt(device, 'halted', 4)) !== 0);
      }
    }
  }
  if (offset !== endOffset) {
    throw new Disagreement(`${endOffset - offset} bytes at offset ${offset} are of no device`);
  }
  if (registers.size === 0) {
    throw new Disagreement('it has no x86 CPU');
  }
  return [...registers]
    .sort(([a], [b]) => a - b)
    .map(([instance, state]) => ({
      ...state,
      halted: state.halted === true || halted.get(instance) === true,
    }));
}

function readHead(file: ImageFile, offset: number, endOffset: number, device: unknown) {
  const name = memberOf(device, 'name');
  const instance = memberOf(device, 'instance_id');
  if (typeof name !== 'string' || typeof instance !== 'number') {
    throw new Disagreement('its description has a device without a name');
  }
  const nameBytes = Buffer.from(name, 'latin1');
  const head = Buffer.alloc(headSizeBytes + nameBytes.length + 8);
  if (offset + head.length > endOffset) {
    throw new Disagreement(`expected the device ${name} at offset ${offset}, found the end`);
  }
  file.read(offset, head);
  const isIt =
    head[0] === sectionTypes.full &&
    head[5] === nameBytes.length &&
    head.subarray(headSizeBytes, headSizeBytes + nameBytes.length).equals(nameBytes) &&
    head.readUInt32BE(headSizeBytes + nameBytes.length) === instance >>> 0;
  if (!isIt) {
    throw new Disagreement(`expected the device ${name} at offset ${offset}, found another`);
  }
  return { name, instance, bodyOffset: offset + head.length };
}

/** Gives the offset behind it. */
function readFooter(
  file: ImageFile,
  headOffset: number,
  offset: number,
  endOffset: number,
): number {
  const idBytes = Buffer.alloc(4);
  const footer = Buffer.alloc(5);
  if (offset + footer.length > endOffset) {
    throw new Disagreement(`the device at offset ${headOffset} goes beyond the end`);
  }
  file.read(headOffset + 1, idBytes);
  file.read(offset, footer);
  if (footer[0] !== sectionTypes.footer || !footer.subarray(1).equals(idBytes)) {
    throw new Disagreement(`the device at offset ${headOffset} does not end at ${offset}`);
  }
  return offset + footer.length;
}

/** `halted` as far as the registers say it. */
function registersOf(device: unknown, body: Buffer): CpuState {
  const word = (name: string): bigint => body.readBigUInt64BE(fieldAt(device, name, 8));
  const registersAt = fieldAt(device, 'env.regs', 8);
  const hiddenFlags = body.readUInt32BE(fieldAt(device, 'env.hflags', 4));
  const state = body.readUInt32BE(fieldAt(device, 'env.mp_state', 4));
  return {
    cr0: word('env.cr[0]'),
    cr3: word('env.cr[3]'),
    cr4: word('env.cr[4]'),
    efer: word('env.efer'),
    lstar: word('env.lstar'),
    rip: word('env.eip'),
    rsp: body.readBigUInt64BE(registersAt + stackPointerRegister * 8),
    rflags: word('env.eflags'),
    privilege: hiddenFlags & privilegeMask,
    halted: waitingStates.includes(state),
    isInNestedGuest: (hiddenFlags & nestedGuestBit) !== 0,
  };
}

/** Where the field begins in the device's body. */
function fieldAt(device: unknown, name: string, elementBytes: number): number {
  let at = 0;
  for (const field of arrayOf(memberOf(device, 'fields'))) {
    if (memberOf(field, 'name') === name) {
      if (memberOf(field, 'size') !== elementBytes) {
        throw new Disagreement(`its CPUs have ${name} of another size than ${elementBytes} bytes`);
      }
      return at;
    }
    at += sizeOfField(field);
  }
  throw new Disagreement(`its CPUs have no ${name}`);
}

function sizeOfDevice(device: unknown): number {
  // Devices that QEMU saves by code of their own state one size for all.
  const sizeBytes =
    memberOf(device, 'vmsd_name') === undefined
      ? countOf(memberOf(device, 'size') ?? 0)
      : sizeOfParts(device, 0);
  if (sizeBytes > bodyLimitBytes) {
    throw new Disagreement(`its description has a device of ${sizeBytes} bytes`);
  }
  return sizeBytes;
}

/** Fields, then subsections: 5 | u8 length, name | u32 version | fields and subsections of its own. */
function sizeOfParts(part: unknown, depth: number): number {
  if (depth > depthLimit) {
    throw new Disagreement('its description is nested too deep');
  }
  let sizeBytes = 0;
  for (const field of arrayOf(memberOf(part, 'fields') ?? [])) {
    sizeBytes += sizeOfField(field);
  }
  for (const subsection of arrayOf(memberOf(part, 'subsections') ?? [])) {
    const name = memberOf(subsection, 'vmsd_name');
    if (typeof name !== 'string') {
      throw new Disagreement('its description has a part without a name');
    }
    sizeBytes += headSizeBytes + name.length + sizeOfParts(subsection, depth + 1);
  }
  return sizeBytes;
}

/** The size of a struct includes all in it; a field may be there several times. */
function sizeOfField(field: unknown): number {
  return countOf(memberOf(field, 'size')) * countOf(memberOf(field, 'array_len') ?? 1);
}

function countOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new Disagreement(`its description has a size of ${JSON.stringify(value)}`);
  }
  return value;
}

function arrayOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new Disagreement('its description is not as QEMU writes it');
  }
  return value as readonly unknown[];
}
