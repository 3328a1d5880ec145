// What each CPU's registers hold, out of QEMU's device state: the harness's own reading, which what it judges has no
// part in.
//
//   04 id name instance version | fields, subsections | 7e id     a section of each device, in the order of ...
//   06 length {"page_size": ..., "devices": [...]}                ... the description at the file's end
//
// (qemu migration/savevm.c, migration/vmstate.c, target/i386/machine.c.) Numbers are big-endian.
import { readFileSync } from 'node:fs';

export interface CpuRegisters {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly lstar: bigint;
}

interface Field {
  readonly name: string;
  readonly size: number;
  readonly array_len?: number;
}
interface Described {
  readonly fields?: readonly Field[];
  readonly subsections?: readonly (Described & { readonly vmsd_name: string })[];
}
type Device = Described & { readonly name: string; readonly instance_id: number };

export function cpusOfState(path: string): readonly CpuRegisters[] {
  const state = readFileSync(path);
  const json = state.lastIndexOf('{"page_size"');
  const { devices } = JSON.parse(state.toString('utf8', json)) as { devices: readonly Device[] };
  const cpus: CpuRegisters[] = [];
  // The first device's section begins where its head stands: RAM before it has no device of that name.
  let at = headOf(state, devices[0], 0);
  for (const device of devices) {
    if (headOf(state, device, at) !== at) {
      throw new Error(`${path}: no section ${device.name} at ${at}`);
    }
    const body = at + 14 + device.name.length;
    if (device.name === 'cpu') {
      const word = (name: string): bigint =>
        state.readBigUInt64BE(body + offsetOf(device.fields ?? [], name));
      cpus.push({ cr0: word('env.cr[0]'), cr3: word('env.cr[3]'), lstar: word('env.lstar') });
    }
    at = body + sizeOf(device) + 5;
  }
  return cpus;
}

function headOf(state: Buffer, { name, instance_id }: Device, from: number): number {
  const head = Buffer.alloc(5 + name.length);
  head[0] = name.length;
  head.write(name, 1, 'latin1');
  head.writeUInt32BE(instance_id, 1 + name.length);
  return state.indexOf(head, from) - 5;
}

function offsetOf(fields: readonly Field[], name: string): number {
  let at = 0;
  for (const field of fields) {
    if (field.name === name) {
      return at;
    }
    at += field.size * (field.array_len ?? 1);
  }
  throw new Error(`a CPU without ${name}`);
}

function sizeOf({ fields = [], subsections = [] }: Described): number {
  const own = fields.reduce((sum, field) => sum + field.size * (field.array_len ?? 1), 0);
  return subsections.reduce((sum, part) => sum + 6 + part.vmsd_name.length + sizeOf(part), own);
}
