// Which values of a command line name something of the host, and what the VM does with each.
import { hostPathsIn, mapHostPaths } from '../../../src/vm/trust/host-paths.js';
import { optionsIn, wordsOf } from '../options-in.js';

const usesIn = (...words: readonly string[]) =>
  hostPathsIn(optionsIn(...words)).map(({ path, use }) => `${use} ${path}`);

test.each([
  [['-hda', 'a.img'], ['image a.img']],
  [['a.img'], ['image a.img']],
  [['-pflash', '/vars.fd'], ['image /vars.fd']],
  [['-drive', 'file=d,,1.img,if=virtio,format=raw'], ['image d,1.img']],
  [['-drive', 'file.driver=file,file.filename=/d,driver=raw'], ['image /d']],
  [['-drive', 'file=nbd://host/disk,format=raw'], []],
  [['-drive', 'if=none,id=x'], []],
  // The node below has the name of a file that could be there.
  [['-blockdev', '{"driver":"qcow2","file":"disk.img","node-name":"f"}'], []],
  [['-blockdev', 'driver=file,filename=/b,node-name=n'], ['image /b']],
  [['-qmp', 'unix:/run/q,server=on,wait=off'], ['server /run/q']],
  [['-qmp', 'unix:q.sock,server,nowait'], ['server q.sock']],
  [['-monitor', 'unix:/run/m'], ['client /run/m']],
  [['-serial', 'mon:unix:/s,server'], ['server /s']],
  [['-serial', 'file:/log'], ['output /log']],
  [['-serial', 'pipe:/p'], ['client /p']],
  [['-serial', '/dev/ttyS0'], ['shared /dev/ttyS0']],
  [['-serial', 'stdio', '-monitor', 'none', '-serial', 'tcp::4444,server'], []],
  [['-chardev', 'socket,id=c,path=/c,server=on,wait=off'], ['server /c']],
  [['-chardev', 'socket,id=c,path=/c,server,nowait'], ['server /c']],
  [['-chardev', 'socket,id=c,path=/tpm'], ['client /tpm']],
  [
    ['-chardev', 'file,id=c,path=/l,logfile=/ll'],
    ['output /l', 'output /ll'],
  ],
  [['-chardev', 'pipe,id=c,path=/p'], ['client /p']],
  [['-chardev', 'serial,id=c,path=/dev/ttyS1'], ['shared /dev/ttyS1']],
  [
    ['-D', 'q.log', '-pidfile', '/run/p'],
    ['output q.log', 'output /run/p'],
  ],
  [['-chroot', '/jail'], ['shared /jail']],
  [
    ['-kernel', 'vmlinuz', '-initrd', '/i', '-append', 'root=/dev/vda'],
    ['read vmlinuz', 'read /i'],
  ],
  [
    ['-machine', 'q35,kernel=/k,firmware=/f'],
    ['read /k', 'read /f'],
  ],
  [['-fw_cfg', 'name=opt/x,file=/x'], ['read /x']],
  [['-fw_cfg', 'name=opt/x,string=/x'], []],
  [['-object', 'memory-backend-file,id=m,size=1G,mem-path=/ram,share=on'], ['memory /ram']],
  [['-mem-path', '/dev/hugepages'], ['memory /dev/hugepages']],
  [['-object', 'filter-dump,id=f,netdev=n,file=/dump'], ['output /dump']],
  [['-object', 'rng-random,id=r,filename=/dev/urandom'], ['read /dev/urandom']],
  [['-audiodev', 'wav,id=a,path=/a.wav'], ['output /a.wav']],
  [['-fsdev', 'local,id=f,path=/home,security_model=none'], ['shared /home']],
  [['-virtfs', 'local,path=/home,mount_tag=h,security_model=none'], ['shared /home']],
  [['-vnc', 'unix:/run/vnc,password=on'], ['server /run/vnc']],
  [['-vnc', ':1'], []],
  [['-display', 'gtk', '-display', 'vnc=unix:/v'], ['server /v']],
  [['-spice', 'unix=on,addr=/run/spice', '-spice', 'port=5900,addr=/x'], ['server /run/spice']],
  [['-netdev', 'stream,id=n,server=on,addr.type=unix,addr.path=/n'], ['server /n']],
  [['-netdev', '{"type":"stream","id":"n","addr":{"type":"unix","path":"/n"}}'], ['client /n']],
  [
    ['-netdev', 'dgram,id=n,local.type=unix,local.path=/l,remote.type=unix,remote.path=/r'],
    ['server /l', 'client /r'],
  ],
  [['-netdev', 'vde,id=n,sock=/vde'], ['client /vde']],
  [['-gdb', 'unix:/gdb,server=on,wait=off'], ['server /gdb']],
  [['-readconfig', '/vm.conf'], ['shared /vm.conf']],
  [['-set', 'drive.hd.file=/d', '-set', 'device.x.y=/z'], ['image /d']],
  [['-name', '/no/path', '-uuid', '0', '-m', '1G', '-S'], []],
  [
    ['-trace', 'events=/e,file=/t'],
    ['read /e', 'output /t'],
  ],
])('%j', (words, uses) => {
  expect(usesIn(...words)).toEqual(uses);
});

test('what is given takes the place of a path, and nothing else changes', () => {
  const words = [
    ...['-qmp', 'unix:/q,server=on', '-drive', 'file=/d,,x,if=virtio', '-m', '512M'],
    ...['-serial', 'mon:file:/log,with comma', '-append', '/q'],
  ];
  const changed = mapHostPaths(optionsIn(...words), ({ path }) => `/new${path}`);
  expect(wordsOf(changed)).toEqual([
    ...['-qmp', 'unix:/new/q,server=on', '-drive', 'file=/new/d,,x,if=virtio', '-m', '512M'],
    ...['-serial', 'mon:file:/new/log,with comma', '-append', '/q'],
  ]);
  expect(wordsOf(mapHostPaths(optionsIn(...words), ({ path }) => path))).toEqual(words);
});
