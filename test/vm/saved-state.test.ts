import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectRamElsewhere } from '../../src/vm/saved-state.js';
import { configuration, fileHead, ramStart } from '../introspect/memory/migration-sample.js';
import { thrownBy } from '../introspect/memory/thrown-by.js';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pars-state-'));
  path = join(folder, 'state');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('a state without RAM is taken, one that needs its stream says how to get that', async () => {
  const block = { name: 'ram0', bytes: Buffer.alloc(4096) };
  const address = Buffer.alloc(8);
  const withoutRam = [configuration(['x-ignore-shared']), ramStart([block], () => address)];
  await writeFile(path, Buffer.concat([fileHead, ...withoutRam, Buffer.of(0)]));
  expectRamElsewhere(path);
  const withRam = [configuration(), ramStart([block])];
  await writeFile(path, Buffer.concat([fileHead, ...withRam, Buffer.of(0)]));
  const error = thrownBy(() => {
    expectRamElsewhere(path);
  });
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(/--output-format migration/);
});

test('the state of another hypervisor is refused', async () => {
  await writeFile(path, 'QE');
  const error = thrownBy(() => {
    expectRamElsewhere(path);
  });
  expect(error.code).toBe('unsupported');
  expect(error.message).toMatch(/expected a migration stream of QEMU \(QEVM at offset 0\)/);
});
