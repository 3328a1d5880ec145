import path from 'node:path';
import { withFolder } from './disk-folders.js';
import { makeAwayStore, makeMarkersOld, markerFlips, nameFlips, tryDamages } from './damaged-disks.js';

test.each([
  [2, 1], [3, 1], [4, 1], [2, 2], [3, 2], [4, 2],
])('%i disks, version %i', async (n, version) => {
  await withFolder(async (folder) => {
    const template = path.join(folder, 'template');
    const folders = await makeAwayStore(template, n);
    if (version === 1) await makeMarkersOld(folders);
    const all = Array.from({ length: n }, (_, i) => i + 1);
    let t = Date.now();
    const a = await tryDamages(template, n, await markerFlips(template, all), path.join(folder, 's'));
    console.log('markers', n, version, Date.now() - t, a.cases, a.refused, a.right, a.renamed, a.wrong.length, a.wrong.slice(0, 30));
    t = Date.now();
    const b = await tryDamages(template, n, await nameFlips(template, all), path.join(folder, 's'));
    console.log('names', n, version, Date.now() - t, b.cases, b.refused, b.right, b.renamed, b.wrong.length, b.wrong.slice(0, 30));
  });
}, 900_000);
