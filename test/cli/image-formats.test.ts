// An image that is no raw file, from the command line to the store and back.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uploadAnswer } from '../e2e/command-answers.js';
import { LocalStoreFolder } from '../e2e/local-store-folder.js';
import { expectPars } from '../e2e/pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from '../e2e/temporary-folder.js';
import { elfCore } from '../introspect/memory/elf-sample.js';

const noKernel = 20;
const usage = 2;
const imageInvalid = 3;

const low = Buffer.alloc(3 * 4096, 'low');
const high = Buffer.alloc(2 * 4096, 'high');

let folder: TemporaryFolder;
let core: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
  core = join(folder.path, 'core');
  const segments = [
    { gpa: 2 ** 32, bytes: high },
    { gpa: 0, bytes: low, memoryBytes: 4 * 4096 },
  ];
  writeFileSync(core, elfCore(segments));
});
afterAll(() => folder.remove());

const regions = [
  { gpaStart: 0, sizeBytes: 4 * 4096, imageOffset: 0 },
  { gpaStart: 2 ** 32, sizeBytes: 2 * 4096, imageOffset: 4 * 4096 },
];

test('an ELF core is stored as its regions say, and restored as their bytes one after the other', async () => {
  const { url: storeUrl } = new LocalStoreFolder(join(folder.path, 'store'));
  const { json } = await expectPars(noKernel, ['upload', core, '--name', 'elf', '--json'], {
    storeUrl,
  });
  const out = join(folder.path, 'out');
  await expectPars(0, ['restore', uploadAnswer.parse(json).id, '--out', out], { storeUrl });
  expect(readFileSync(join(out, 'ram'))).toEqual(Buffer.concat([low, Buffer.alloc(4096), high]));
});

test('a raw file has the regions of the map that --map-file names', async () => {
  const ram = join(folder.path, 'ram');
  const map = join(folder.path, 'map.json');
  writeFileSync(ram, Buffer.concat([high, low, Buffer.alloc(4096)]));
  writeFileSync(
    map,
    JSON.stringify({
      regions: [
        { gpa: '0x100000000', sizeBytes: high.length },
        { gpa: 0, sizeBytes: 4 * 4096 },
      ],
    }),
  );
  const { json } = await expectPars(noKernel, ['classify', ram, '--map-file', map, '--json']);
  expect(json).toMatchObject({ regions });
});

test.each([
  ['a format that there is not', usage, ['--format', 'vmdk'], /"vmdk" .*raw, elf/],
  ['a format that the image is not of', imageInvalid, ['--format', 'raw'], /not a raw RAM image/],
  ['a map for a container that takes none', usage, ['--map-file', 'map.json'], /takes no map/],
])('%s is refused', async (_, exitCode, options, message) => {
  const { stderr } = await expectPars(exitCode, ['classify', core, ...options]);
  expect(stderr).toMatch(message);
});
