// `pars upload --captured DIR` stores what the folder's own file names, so whoever can write there could name any file.
import { chmodSync } from 'node:fs';
import { capturedSource } from '../../../src/cli/upload/captured-source.js';
import { writeCaptured } from '../../../src/spool/captured.js';
import { makeTemporaryFolder } from '../../e2e/temporary-folder.js';

test('a captured folder that others may write to is not stored', async () => {
  const folder = await makeTemporaryFolder();
  try {
    await writeCaptured(folder.path, {
      version: 1,
      vm: 'web',
      createdMs: 0,
      source: 'qmp',
      image: { file: 'ram' },
      disks: [],
    });
    expect(await capturedSource(folder.path)).toMatchObject({ vm: 'web' });
    chmodSync(folder.path, 0o777);
    await expect(capturedSource(folder.path)).rejects.toMatchObject({ code: 'permission-denied' });
  } finally {
    await folder.remove();
  }
});
