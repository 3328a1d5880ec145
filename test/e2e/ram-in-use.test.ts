// The RAM file of a VM that runs is of no moment, and is not taken for a snapshot.
import { join } from 'node:path';
import { startBareQemu } from '../guest/bare-qemu.js';
import { Qmp } from '../guest/qmp.js';
import { LocalStoreFolder } from './local-store-folder.js';
import { expectPars, runPars } from './pars-command.js';
import { makeTemporaryFolder, type TemporaryFolder } from './temporary-folder.js';

const testTimeoutMs = 180_000;
const noKernel = 20;
const usage = 2;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await makeTemporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

test(
  'it is refused while the VM runs, taken once its monitor says that it stands, and on request where nobody can say',
  async () => {
    const { path } = folder;
    const ram = join(path, 'ram');
    const monitor = join(path, 'qmp');
    const { url: storeUrl } = new LocalStoreFolder(join(path, 'store'));
    const qemu = await startBareQemu(monitor, [
      ...['-m', '16M', '-machine', 'pc,memory-backend=m'],
      ...['-object', `memory-backend-file,id=m,size=16M,mem-path=${ram},share=on`],
      ...['-qmp', `unix:${monitor},server=on,wait=off`],
    ]);
    try {
      const upload = ['upload', ram, '--name', 'vm'];
      const running = await runPars(upload, { storeUrl });
      expect(running.exitCode).toBe(usage);
      expect(running.stderr).toContain(`the RAM of a VM that is running (process ${qemu.pid})`);
      expect(running.stderr).toContain(`pars upload --qmp ${monitor}`);

      const qmp = await Qmp.connect(monitor);
      await qmp.execute('stop');
      // This client holds the monitor, so that it cannot be asked.
      const untold = await runPars(upload, { storeUrl });
      expect(untold.exitCode).toBe(usage);
      expect(untold.stderr).toMatch(/no monitor of it answers.*--stands-still/);
      await expectPars(noKernel, [...upload, '--stands-still'], { storeUrl });
      qmp.close();
      await expectPars(noKernel, upload, { storeUrl });
    } finally {
      await qemu.close();
    }
    await expectPars(noKernel, ['upload', ram, '--name', 'vm'], { storeUrl });
  },
  testTimeoutMs,
);
