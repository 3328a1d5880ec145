// What `pars hook run` is asked for, by variables, options or JSON; and that it asks back where that is not clear.
import { parseConfig } from '../../../src/hook/config.js';
import { readHookRequest } from '../../../src/hook/take/offered-input.js';
import { HookPlace } from '../hook-place.js';

let place: HookPlace;
let image: string;
beforeEach(async () => {
  place = await HookPlace.make();
  image = place.image('web.raw', 'ram', 1_700_000_000_500);
});
afterEach(() => place.remove());

const config = parseConfig(
  'store: file:///srv/pars\nvms: {web: {qmp: /run/web.qmp, machine: /etc/web.json}}',
  'pars.yaml',
);

const ask = (environment: Readonly<Record<string, string>>, input?: unknown, vm?: string) =>
  readHookRequest(
    {
      vm,
      environment,
      readInput: () =>
        Promise.resolve(
          input === undefined ? '' : typeof input === 'string' ? input : JSON.stringify(input),
        ),
    },
    config,
  );

test('variables name files', async () => {
  const request = await ask({
    PARS_VM: 'db',
    PARS_IMAGE: image,
    PARS_FORMAT: 'raw',
    PARS_STATE: '/s',
    PARS_MACHINE: '/m',
    PARS_DISKS: ' vda=/a  vdb=/b ',
    PARS_LINK: '1',
  });
  expect(request).toEqual({
    kind: 'files',
    offered: {
      vm: 'db',
      image,
      format: 'raw',
      state: '/s',
      machine: '/m',
      disks: [
        { name: 'vda', path: '/a', sourcePath: '/a', sourceFormat: 'raw' },
        { name: 'vdb', path: '/b', sourcePath: '/b', sourceFormat: 'raw' },
      ],
      createdMs: 1_700_000_000_500,
      source: 'run',
      link: true,
    },
  });
});

test('JSON names the same', async () => {
  const input = { vm: 'db', image, disks: [{ name: 'vda', path: '/with a space' }] };
  expect(await ask({}, input)).toMatchObject({
    kind: 'files',
    offered: { vm: 'db', image, disks: [{ name: 'vda', path: '/with a space' }], link: false },
  });
});

test('a VM alone is captured through the socket that is configured for it', async () => {
  const live = { vm: 'web', qmpPath: '/run/web.qmp', machinePath: '/etc/web.json', source: 'qmp' };
  expect(await ask({}, undefined, 'web')).toEqual({ kind: 'live', live });
});

test('a socket of the call comes before the configured one', async () => {
  expect(await ask({ PARS_VM: 'web', PARS_QMP: '/other.qmp' })).toMatchObject({
    kind: 'live',
    live: { qmpPath: '/other.qmp' },
  });
});

test('standard input is not read where something else says what to take', async () => {
  const readInput = () => Promise.reject(new Error('read'));
  const sources = { vm: 'web', environment: {}, readInput };
  await expect(readHookRequest(sources, config)).resolves.toMatchObject({ kind: 'live' });
});

test.each([
  ['nothing at all', {}, undefined, /name of a VM.*--vm NAME, PARS_VM/],
  ['a VM that is not configured', { PARS_VM: 'db' }, undefined, /vms\.db\.qmp in pars\.yaml/],
  ['a VM named as a member of every object', { PARS_VM: 'constructor' }, undefined, /nothing says/],
  [
    'a name that is none',
    { PARS_VM: 'a/b', PARS_QMP: '/q' },
    undefined,
    /"a\/b" cannot name a VM: it holds a "\/".*PARS_VM/,
  ],
  [
    'a format that is none',
    { PARS_VM: 'db', PARS_IMAGE: '/x', PARS_FORMAT: 'vmdk' },
    undefined,
    /PARS_FORMAT/,
  ],
  ['an image and a socket', { PARS_VM: 'db', PARS_IMAGE: '/x', PARS_QMP: '/q' }, undefined, /both/],
  [
    'a state for a socket',
    { PARS_VM: 'web', PARS_QMP: '/q', PARS_STATE: '/s' },
    undefined,
    /go with an image/,
  ],
  ['text that is no JSON', {}, 'web', /expected JSON on standard input/],
  ['JSON that is no object', {}, [], /expected a JSON object/],
  ['JSON with another key', {}, { vm: 'db', img: '/x' }, /"img" on standard input is not known/],
])('%s is refused', async (_, environment, input, message) => {
  await expect(ask(environment as Readonly<Record<string, string>>, input)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(message) as string,
  });
});

test('an image that is not there is told before anything is made', async () => {
  await expect(ask({ PARS_VM: 'db', PARS_IMAGE: '/nonexistent' })).rejects.toMatchObject({
    code: 'not-found',
  });
});

test.each([
  ['of the call', { PARS_VM: 'db', PARS_VM_ID: 'db@cluster' }, 'db@cluster'],
  ['of the configuration', { PARS_VM: 'mail' }, 'mail-1'],
])('an id %s tells the VM from others of its name', async (_, environment, id) => {
  const known = parseConfig('store: file:///s\nvms: {mail: {id: mail-1}}', 'pars.yaml');
  const sources = { vm: undefined, readInput: () => Promise.resolve('') };
  const request = await readHookRequest(
    { ...sources, environment: { ...environment, PARS_IMAGE: image } },
    known,
  );
  expect(request).toMatchObject({ offered: { identity: { id } } });
});

test('an id that cannot be shown is refused', async () => {
  await expect(ask({ PARS_VM: 'db', PARS_IMAGE: image, PARS_VM_ID: 'a b' })).rejects.toThrow(
    /PARS_VM_ID: expected 1 to 128 printable/,
  );
});
