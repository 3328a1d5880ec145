// The CPUs of a real device state and of an ELF dump's notes: what QEMU itself says of them is in the fixture's kernel, so
// the page tables that they name must lead to it; and what damage makes of the state is never another CPU.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { CpuStates } from '../../../introspect/memory/cpu-state.js';
import { readCpuStates } from '../../../introspect/memory/device-state.js';
import { openImage } from '../../../introspect/memory/open-image-file.js';
import { fixtureGuest } from '../../guest/fixtures.js';
import { elfCore } from './elf-sample.js';

const bootTimeoutMs = 300_000;
let folder: string;
let state: Buffer;
let intact: CpuStates;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pars-cpus-'));
  const { statePath } = await fixtureGuest('aged');
  state = readFileSync(statePath);
  intact = readCpuStates(statePath);
}, bootTimeoutMs);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function cpusOf(bytes: Uint8Array): CpuStates {
  const path = join(folder, 'state');
  writeFileSync(path, bytes);
  return readCpuStates(path);
}

test('every CPU of a running guest is in long mode, and enters the kernel at one place', () => {
  if (!intact.known) {
    throw new Error(intact.reason);
  }
  expect(intact.cpus.length).toBeGreaterThan(0);
  for (const { cr0, cr3, efer, lstar } of intact.cpus) {
    expect(cr0 >> 31n).toBe(1n);
    expect(cr3 & 0xfffn).toBe(0n);
    expect((efer ?? 0n) & 0x400n).toBe(0x400n);
    expect((lstar ?? 0n) >> 32n).toBe(0xffff_ffffn);
  }
});

test('a state without the description of its devices says nothing', () => {
  const end = state.lastIndexOf(Buffer.of(0, 6));
  expect(cpusOf(state.subarray(0, end))).toMatchObject({
    known: false,
    reason: expect.stringMatching(/no description of the devices/) as unknown,
  });
});

test("another hypervisor's state says nothing", () => {
  expect(cpusOf(Buffer.from('not a stream of QEMU at all'))).toMatchObject({ known: false });
});

test('a state that is shorter or longer than its description says nothing', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 64 }), fc.boolean(), (seed, count, cut) => {
      const end = state.lastIndexOf(Buffer.of(0, 6));
      const at = 200 + (seed % (end - 200 - count));
      const changed = cut
        ? Buffer.concat([state.subarray(0, at), state.subarray(at + count)])
        : Buffer.concat([state.subarray(0, at), Buffer.alloc(count), state.subarray(at)]);
      expect(cpusOf(changed)).toMatchObject({ known: false });
    }),
    { numRuns: 60 },
  );
});

test('a damaged description never ends in an error, and never in another number of CPUs', () => {
  const json = state.lastIndexOf('{"page_size"');
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), (seed, byte) => {
      const changed = Buffer.from(state);
      changed[json + (seed % (state.length - json))] = byte;
      const found = cpusOf(changed);
      if (found.known && intact.known) {
        expect(found.cpus).toHaveLength(intact.cpus.length);
      }
    }),
    { numRuns: 150 },
  );
});

describe("a dump's notes", () => {
  function note(name: string, type: number, content: Buffer): Buffer {
    const nameBytes = Buffer.from(`${name}\0`);
    const head = Buffer.alloc(12);
    head.writeUInt32LE(nameBytes.length, 0);
    head.writeUInt32LE(content.length, 4);
    head.writeUInt32LE(type, 8);
    const padded = (bytes: Buffer) => [bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)];
    return Buffer.concat([head, ...padded(nameBytes), ...padded(content)]);
  }

  function qemuNote(cr3: bigint): Buffer {
    const content = Buffer.alloc(440);
    content.writeUInt32LE(1, 0);
    content.writeUInt32LE(440, 4);
    for (let register = 0; register < 18; register++) {
      content.writeBigUInt64LE(BigInt(register), 8 + register * 8);
    }
    content.writeUInt32LE(0x33, 152);
    content.writeBigUInt64LE(0x8005_0033n, 392);
    content.writeBigUInt64LE(cr3, 416);
    content.writeBigUInt64LE(0x20n, 424);
    return note('QEMU', 0, content);
  }

  function cpusOfDump(notes: Buffer): CpuStates | undefined {
    const path = join(folder, 'dump');
    writeFileSync(
      path,
      elfCore([
        { type: 4, gpa: 0, bytes: notes },
        { gpa: 0, bytes: Buffer.alloc(8192) },
      ]),
    );
    const image = openImage(path);
    image.close();
    return image.cpus;
  }

  test('have each CPU in turn', () => {
    const core = note('CORE', 1, Buffer.alloc(336));
    expect(cpusOfDump(Buffer.concat([core, core, qemuNote(0x1000n), qemuNote(0x2000n)]))).toEqual({
      known: true,
      cpus: [0x1000n, 0x2000n].map((cr3) => ({
        cr0: 0x8005_0033n,
        cr3,
        cr4: 0x20n,
        // By QEMU's order: rax rbx rcx rdx rsi rdi rsp rbp, r8 to r15, rip, rflags.
        rip: 16n,
        rsp: 6n,
        rflags: 17n,
        privilege: 3,
      })),
    });
  });

  test.each([
    ['of other tools', note('CORE', 1, Buffer.alloc(336))],
    ['cut short', qemuNote(0x1000n).subarray(0, 100)],
    ['with lengths beyond their end', Buffer.alloc(64, 0xff)],
  ])('%s say nothing', (_, notes) => {
    expect(cpusOfDump(notes)).toMatchObject({ known: false });
  });
});
