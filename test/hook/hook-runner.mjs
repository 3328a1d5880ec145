// A process that works on a spool and may be killed: `offer CONFIG VM IMAGE DISK` or `flush CONFIG`, by the built sources,
// with the stand-in for `pars`. Says `ready` before it begins.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openHook } from '../../dist/src/cli/hook/open.js';
import { flush } from '../../dist/src/hook/send/flush.js';
import { offerSnapshot } from '../../dist/src/hook/take/offer.js';

const [work, config, vm, image, disk] = process.argv.slice(2);
const standIn = fileURLToPath(new URL('stand-in-pars.mjs', import.meta.url));
const { signal } = new AbortController();
const hook = { ...(await openHook({ config }, { signal })), pars: [process.execPath, standIn] };
process.stdout.write('ready\n');
if (work === 'offer') {
  await offerSnapshot(hook, {
    vm,
    image,
    disks: [{ name: 'vda', path: disk, sourcePath: '/images/vda', sourceFormat: 'raw' }],
    createdMs: Math.trunc(statSync(image).mtimeMs),
    source: 'test',
    link: false,
  });
} else {
  await flush(hook, { retryFailed: false });
}
process.stdout.write('done\n');
