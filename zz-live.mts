import { bootGuest } from './test/guest/guest.js';
import { TickRecorder } from './test/live/tick-recorder.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtempSync, rmSync } from 'node:fs';
const dir = mkdtempSync('/tmp/zzlive-');
const t0=Date.now();
const g = await bootGuest({ workload: 'live', hasPrivateRam: true, qemuArguments: ['-device','virtio-serial-pci','-chardev',`socket,id=ticks,path=${dir}/ticks.sock,server=on,wait=off`,'-device','virtserialport,chardev=ticks,name=ticks'] });
console.log('boot', Date.now()-t0);
try {
const r = await TickRecorder.connect(dir+'/ticks.sock');
await sleep(5000);
const gaps = r.between(0, Date.now()).map(x=>x.lengthMs).sort((a,b)=>a-b);
console.log('ticks', gaps.length, 'median', gaps[gaps.length>>1], 'p95', gaps[Math.floor(gaps.length*.95)], 'max', gaps.at(-1));
for (const role of ['ticks','pages','records']) { const t=Date.now(); console.log(role, await g.command('witness '+role), Date.now()-t); }
r.close();
} catch(e) { console.log(e, g.lastWords()); }
finally { await g.close(); rmSync(dir,{recursive:true}); process.exit(0); }
