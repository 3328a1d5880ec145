// What is found in a command line that came out of a store. Each line of the first table ran, as root, what the snapshot said.
import type { AllowedPaths } from '../../../src/vm/trust/effects.js';
import { judgeCommand } from '../../../src/vm/trust/judge-command.js';
import { optionsIn } from '../options-in.js';

const none: AllowedPaths = { named: new Set(), restored: new Map() };

function judge(words: readonly string[], allowed = none, program = 'qemu-system-x86_64') {
  return judgeCommand({ program, options: optionsIn(...words) }, allowed);
}

const effectsOf = (words: readonly string[], allowed = none) => [
  ...new Set(judge(words, allowed).map(({ effect }) => effect)),
];

test.each([
  ['runs', '-netdev', 'tap,id=n,script=/tmp/x'],
  ['runs', '-netdev', 'tap,id=n'],
  ['runs', '-netdev', 'user,id=n,type=tap'],
  ['runs', '-netdev', '{"type":"tap","id":"n","script":"/tmp/x"}'],
  ['runs', '-net', 'tap,script=/tmp/x'],
  ['runs', '-nic', 'tap,downscript=/tmp/x'],
  ['runs', '-netdev', 'bridge,id=n,helper=/tmp/x'],
  ['runs', '-netdev', 'user,id=n,smb=/'],
  ['runs', '-netdev', 'user,id=n,guestfwd=tcp:10.0.2.100:80-cmd:sh'],
  ['listens', '-netdev', 'user,id=n,hostfwd=tcp::22-:22'],
  ['listens', '-netdev', '{"type":"user","id":"n","hostfwd":[{"str":"tcp::22-:22"}]}'],
  ['opens', '-netdev', 'user,id=n,tftp=/etc'],
  ['connects', '-netdev', 'socket,id=n,connect=1.2.3.4:5'],
  ['unknown', '-netdev', 'user,id=n,newkey=x'],
  ['unknown', '-netdev', 'new,id=n'],
  ['runs', '-incoming', 'exec:touch /x'],
  ['runs', '-plugin', '/tmp/x.so'],
  ['runs', '-readconfig', '/tmp/x'],
  ['unknown', '-set', 'drive.a.file=/etc/shadow'],
  ['runs', '-semihosting-config', 'enable=on,target=native'],
  ['unknown', '-newoption', 'x'],
  ['opens', '-chardev', 'file,id=c,path=/root/.ssh/authorized_keys'],
  ['opens', '-chardev', 'file,id=c,path=relative'],
  ['opens', '-chardev', 'pipe,id=c,path=/x'],
  ['opens', '-chardev', 'null,id=c,logfile=/x'],
  ['opens', '-chardev', 'socket,id=c,path=/x,server=on'],
  ['connects', '-chardev', 'socket,id=c,host=0.0.0.0,port=1,server=on'],
  ['connects', '-chardev', 'udp,id=c,port=1'],
  ['opens', '-serial', 'file:/etc/passwd'],
  ['opens', '-serial', '/dev/sda'],
  ['connects', '-serial', 'tcp:1.2.3.4:5'],
  ['opens', '-serial', 'mon:unix:/x,server'],
  ['listens', '-monitor', 'tcp::4444,server,nowait'],
  ['listens', '-qmp', 'unix:/run/x.qmp,server=on,wait=off'],
  ['listens', '-vnc', ':0'],
  ['listens', '-display', 'vnc=:0'],
  ['listens', '-spice', 'port=1,disable-ticketing=on'],
  ['opens', '-drive', 'file=/dev/sda,format=raw'],
  ['opens', '-drive', 'file=json:{"driver":"ssh"},format=raw'],
  ['opens', '-drive', 'file=fat:rw:/etc,format=raw'],
  ['opens', '-drive', 'file=ssh://a/b,format=raw'],
  ['opens', '-drive', 'file=relative,format=raw'],
  ['opens', '-drive', 'file.driver=ssh,file.host=x'],
  ['opens', '-drive', 'driver=vvfat,dir=/etc'],
  ['opens', '-drive', 'file=/usr/share/x,format=raw'],
  ['opens', '-blockdev', '{"driver":"file","node-name":"a","filename":"/etc/shadow"}'],
  ['opens', '-blockdev', 'driver=qcow2,node-name=a,file.driver=file,file.filename=/x'],
  ['opens', '-blockdev', '{"driver":"nbd","node-name":"a"}'],
  ['opens', '-hda', '/dev/sda'],
  ['opens', '-pflash', '/x'],
  ['opens', '-kernel', '/etc/shadow'],
  ['opens', '-kernel', '/usr/share/../../etc/shadow'],
  ['opens', '-initrd', 'relative'],
  ['opens', '-bios', '/x'],
  ['opens', '-L', '/x'],
  ['opens', '-D', '/etc/passwd'],
  ['opens', '-trace', 'enable=x,file=/etc/passwd'],
  ['opens', '-machine', 'q35,dumpdtb=passwd'],
  ['opens', '-boot', 'splash=/x'],
  ['opens', '-smbios', 'file=/x'],
  ['opens', '-smbios', 'type=11,path=/x'],
  ['opens', '-acpitable', 'data=/etc/shadow'],
  ['opens', '-fw_cfg', 'name=opt/x,file=/etc/shadow'],
  ['opens', '-option-rom', '/x'],
  ['opens', '-fsdev', 'local,id=f,path=/,security_model=none'],
  ['opens', '-virtfs', 'local,path=/,mount_tag=x,security_model=none'],
  ['opens', '-tpmdev', 'passthrough,id=t,path=/dev/tpm0'],
  ['opens', '-object', 'memory-backend-file,id=m,size=1G,mem-path=/etc/passwd'],
  ['opens', '-object', 'secret,id=s,file=/etc/shadow'],
  ['opens', '-object', 'rng-random,id=r,filename=/etc/shadow'],
  ['opens', '-object', 'filter-dump,id=f,netdev=n,file=/x'],
  ['unknown', '-object', 'x-remote-object,id=x'],
  ['opens', '-device', 'vfio-pci,host=01:00.0'],
  ['opens', '-device', 'usb-host,vendorid=1'],
  ['opens', '-device', 'loader,file=/etc/shadow,addr=0'],
  ['opens', '-device', '{"driver":"virtio-net-pci","romfile":"/etc/shadow"}'],
  ['opens', '-device', 'virtio-net-pci,romfile=relative'],
  ['unknown', '-device', 'new-device'],
  ['opens', '-global', 'virtio-net-pci.romfile=/etc/shadow'],
  ['opens', '-global', 'driver=e1000,property=romfile,value=/etc/shadow'],
  ['opens', '-audiodev', 'wav,id=a,path=/x'],
  ['opens', '-icount', 'shift=1,rr=record,rrfile=x'],
  ['opens', '-chroot', '/x'],
  ['opens', '-add-fd', 'fd=3,set=1'],
  // QEMU takes JSON for some options only; for the others a brace is a letter, and the commas divide.
  ['unknown', '-net', '{"id":"x,type=bridge,helper=touch pwned #,br=b"}'],
  ['unknown', '-nic', '{"id":"x,type=bridge,helper=touch pwned #,br=b"}'],
  ['unknown', '-fw_cfg', '{"string":"x,file=/etc/shadow,name=opt/a"}'],
  ['unknown', '-smbios', '{"product":"x,file=/etc/shadow"}'],
  ['unknown', '-drive', '{"serial":"x,file=/etc/shadow,format=raw"}'],
  ['unknown', '-chardev', '{"id":"c,backend=socket,id=c2,host=127.0.0.1,port=4444,name=x"}'],
  // Not so in releases before QEMU 6 or 7.
  ['unknown', '-netdev', '{"type":"user","id":"x,type=bridge,helper=x"}'],
  // Single quotes, and white space before the brace.
  [
    'unknown',
    '-object',
    "{'mem-path':'/tmp/a=b','qom-type':'memory-backend-file','id':'m','size':4096,'share':true}",
  ],
  ['unknown', '-object', "{'id':'f','x':'a=b','qom-type':'filter-dump','netdev':'n'}"],
  [
    'unknown',
    '-device',
    "{'failover_pair_id':'a=b,driver=virtio-net-pci,c=d','driver':'vfio-pci'}",
  ],
  ['unknown', '-display', "{'addr':'tcp:host=1.2.3.4,port=5','type':'dbus'}"],
  ['unknown', '-object', ' {"qom-type":"secret","id":"s"}'],
  ['unknown', '-object', '{"qom-type":"iothread","id":"s"} x'],
  ['unknown', '-device', '{"driver":"virtio-net-pci","":"x"}'],
  ['unknown', '-device', 'virtio-net-pci,/etc=x'],
  ['unknown', '-device', 'virtio-net-pci,=x'],
  ['unknown', '-netdev', "user,id=n,{'a=b"],
  // What QEMU takes commands from.
  ['listens', '-chardev', 'file,id=c,path=/dev/null', '-mon', 'chardev=c,mode=readline'],
  ['listens', '-chardev', 'ringbuf,id=c', '-monitor', 'chardev:c'],
  ['listens', '-chardev', 'ringbuf,id=c', '-serial', 'mon:chardev:c'],
  ['listens', '-chardev', 'stdio,id=d,id=c', '-chardev', 'ringbuf,id=c', '-mon', 'c'],
  ['listens', '-mon', 'chardev=nowhere'],
  // Words that are no refusal for these keys.
  ['runs', '-netdev', 'user,id=n,smb=off'],
  ['opens', '-netdev', 'user,id=n,tftp=no'],
  ['runs', '-netdev', 'tap,id=n,script=off'],
  ['listens', '-chardev', 'socket,id=c,path=,abstract=no'],
  ['opens', '-audiodev', 'wav,id=a'],
  ['opens', '-audiodev', '{"driver":"wav","id":"a","path":""}'],
  // Files of packages are read, by every way to them.
  [
    'opens',
    '-blockdev',
    'driver=raw,node-name=a,read-only=on,file.driver=file,file.filename=/usr/share/x,file.node-name=b,file.read-only=off',
  ],
  [
    'opens',
    '-blockdev',
    'driver=raw,node-name=a,read-only=on,file.driver=file,file.filename=/usr/share/x,file.node-name=b',
  ],
  ['opens', '-drive', 'format=raw,readonly=on,file.filename=/usr/share/x,file.read-only=off'],
  ['opens', '-drive', 'file=/usr/share/x,format=raw,if=none,readonly=on,readonly=off'],
])('%s: %s %s', (effect, ...words) => {
  expect(effectsOf(words)).toContain(effect);
});

test.each([
  ['/bin/sh', ['-c', 'touch /x']],
  ['/tmp/qemu-system-x86_64', []],
  ['./qemu-system-x86_64', []],
  ['/usr/bin/../../tmp/qemu-system-x86_64', []],
  ['numactl', ['-N', '0', 'qemu-system-x86_64']],
  ['/usr/bin/env', ['qemu-system-x86_64']],
  ['qemu-system-x86_64\n/bin/sh', []],
])('%s is no program to be started', (program, words) => {
  expect(judge(words, none, program)[0]).toMatchObject({ effect: 'runs' });
});

test.each(['qemu-system-x86_64', '/usr/bin/qemu-system-aarch64', '/usr/libexec/qemu-kvm', 'kvm'])(
  '%s is QEMU',
  (program) => {
    expect(judge([], none, program)).toEqual([]);
  },
);

test('QEMU at another path is taken when that path was named, and no other program ever', () => {
  const named = new Set(['/opt/qemu/qemu-system-x86_64', '/bin/sh']);
  const allowed = { named, restored: new Map() };
  expect(judge([], allowed, '/opt/qemu/qemu-system-x86_64')).toEqual([]);
  expect(judge([], allowed, '/bin/sh')).toHaveLength(1);
});

test('a common machine is harmless once its files are restored or named', () => {
  const words = [
    ...['-nodefaults', '-machine', 'q35,accel=kvm,memory-backend=ram0', '-cpu', 'host'],
    ...['-m', '512M', '-smp', '2,sockets=1', '-name', 'guest=web,debug-threads=on'],
    ...['-uuid', 'd47c9da9-3465-4119-8831-c70d4113f209', '-no-user-config', '-display', 'none'],
    ...['-object', 'memory-backend-file,id=ram0,size=512M,mem-path=/out/ram,share=on'],
    ...['-drive', 'file=/out/disk-vda.img,if=virtio,format=raw,cache=none,serial=a/b'],
    ...[
      '-blockdev',
      '{"driver":"file","filename":"/out/disk-vdb.img","node-name":"f","auto-read-only":true}',
    ],
    ...['-blockdev', '{"driver":"raw","file":"f","node-name":"d","read-only":false}'],
    ...['-device', '{"driver":"virtio-blk-pci","drive":"d","id":"vdb","bus":"pci.0"}'],
    ...['-drive', 'if=pflash,readonly=on,format=raw,file=/usr/share/OVMF/OVMF_CODE.fd'],
    ...['-netdev', 'user,id=n,net=10.0.2.0/24', '-device', 'virtio-net-pci,netdev=n,romfile='],
    ...['-chardev', 'socket,id=q,path=/run/q,server=on,wait=off', '-mon', 'chardev=q,mode=control'],
    ...['-qmp', 'unix:/run/vm1.qmp,server=on,wait=off', '-serial', 'mon:stdio'],
    ...['-object', 'rng-random,id=r,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=r'],
    ...['-kernel', '/named/vmlinuz', '-append', 'root=/dev/vda console=ttyS0', '-snapshot'],
    ...['-sandbox', 'on,obsolete=deny', '-msg', 'timestamp=on', '-rtc', 'base=utc'],
    ...['-smbios', 'type=1,uuid=d47c9da9-3465-4119-8831-c70d4113f209,product=a/b', '-vga', 'std'],
    ...['-global', 'ICH9-LPC.disable_s3=1', '-nic', 'none', '-vnc', 'none'],
  ];
  const allowed = {
    named: new Set(['/run/q', '/run/vm1.qmp', '/named/vmlinuz']),
    restored: new Map([
      ['/out/ram', undefined],
      ['/out/disk-vda.img', 'raw'],
      ['/out/disk-vdb.img', 'raw'],
    ]),
  };
  expect(judge(words, allowed)).toEqual([]);
});

test("the guest's own disk is no firmware, no kernel and no list of options", () => {
  const allowed = { named: new Set<string>(), restored: new Map([['/out/d', 'raw']]) };
  for (const words of [
    ['-kernel', '/out/d'],
    ['-bios', '/out/d'],
    ['-readconfig', '/out/d'],
  ]) {
    expect(judge(words, allowed)).toHaveLength(1);
  }
});

test.each([
  ['-drive', 'file=/out/d'],
  ['-drive', 'file=/out/d,format=qcow2'],
  ['-drive', 'format=raw,file.driver=qcow2,file.file.filename=/out/d'],
  ['-hda', '/out/d'],
  ['-blockdev', 'driver=qcow2,node-name=a,file.driver=file,file.filename=/out/d'],
  ['-drive', 'driver=copy-on-read,file.filename=/out/d,if=none,id=d'],
  ['-drive', 'format=throttle,file=/out/d,if=none,id=d'],
  ['-drive', 'driver=throttle,filename=/out/d,if=none,id=d'],
  [
    ...['-blockdev', 'driver=file,node-name=n,filename=/out/d'],
    ...['-drive', 'driver=qcow2,file.driver=raw,file.file=n'],
  ],
  [
    ...[
      '-blockdev',
      'driver=raw,node-name=a,file.driver=file,file.filename=/out/d,file.node-name=n',
    ],
    ...['-blockdev', 'driver=qcow2,node-name=q,file=n'],
  ],
  ['-drive', 'format=raw,file=/out/d,backing.file.filename=/out/d'],
  [
    '-blockdev',
    'driver=raw,node-name=q,file.driver=file,file.filename=/out/d,backing.driver=qcow2,backing.file.driver=file,backing.file.filename=/out/d',
  ],
  [
    '-blockdev',
    '{"driver":"raw","node-name":"a","file":{"driver":"qcow2","file":{"driver":"file","filename":"/out/d"}}}',
  ],
])("what the guest wrote is not taken for an image's structure: %s %s", (...words) => {
  const allowed = { named: new Set<string>(), restored: new Map([['/out/d', 'raw']]) };
  expect(effectsOf(words, allowed)).toEqual(['opens']);
});

test('nodes that lead to a restored disk are looked at together', () => {
  const file = '{"driver":"file","node-name":"f","filename":"/out/d"}';
  const format = '{"driver":"qcow2","node-name":"q","file":"f"}';
  const words = ['-blockdev', file, '-blockdev', format];
  const as = (kind: string) => ({
    named: new Set<string>(),
    restored: new Map([['/out/d', kind]]),
  });
  expect(judge(words, as('raw'))).toMatchObject([
    { why: expect.stringContaining('as qcow2') as string },
  ]);
  expect(judge(words, as('qcow2'))).toEqual([]);
});

test('more nodes than are followed are a finding', () => {
  const words = ['-blockdev', 'driver=file,node-name=n0,filename=/out/d'];
  for (let count = 1; count < 66; count++) {
    words.push('-blockdev', `driver=raw,node-name=n${count},file=n${count - 1}`);
  }
  words.push('-blockdev', 'driver=qcow2,node-name=q,file=n65');
  const allowed = { named: new Set<string>(), restored: new Map([['/out/d', 'raw']]) };
  expect(judge(words, allowed).map(({ part }) => part)).toContainEqual(
    expect.stringContaining('node-name=q'),
  );
});

test.each([
  ['-drive', 'file=/data/copy.img,if=none,id=d'],
  ['-hda', '/data/copy.img'],
])('an image that was named is not opened in a format that QEMU guesses: %s %s', (...words) => {
  const path = new Set(['/data/copy.img']);
  const restored = new Map<string, string>();
  expect(effectsOf(words, { named: path, restored })).toEqual(['opens']);
  expect(effectsOf(words, { named: new Set(), replaced: path, restored })).toEqual(['opens']);
});

test.each([
  ['-chardev', 'pipe,id=c,path=/out/d', '-mon', 'chardev=c,mode=control'],
  ['-chardev', 'pipe,id=c,path=/data/copy.img', '-mon', 'chardev=c,mode=control'],
  ['-chardev', 'socket,id=c,path=/data/copy.img,server=on', '-mon', 'chardev=c,mode=control'],
  ['-chardev', 'file,id=c,path=/dev/null,input-path=/out/d'],
  ['-chardev', 'file,id=c,path=/out/ram'],
  ['-chardev', 'null,id=c,logfile=/out/d'],
  ['-serial', 'pipe:/out/d'],
  ['-qmp', 'pipe:/data/copy.img'],
  ['-D', '/out/d'],
  ['-object', 'secret,id=s,file=/out/d'],
  ['-drive', 'file=/out/ram,format=qcow2'],
])('what the guest wrote is an image or RAM and nothing else: %s %s', (...words) => {
  const allowed = {
    named: new Set<string>(),
    replaced: new Set(['/data/copy.img']),
    restored: new Map([
      ['/out/d', 'raw'],
      ['/out/ram', undefined],
    ]),
  };
  expect(effectsOf(words, allowed)).toContain('opens');
});

test('a monitor is a terminal, or a socket that was named, and no other file that was', () => {
  const allowed = { named: new Set(['/named']), restored: new Map<string, string>() };
  for (const quiet of [
    ['-chardev', 'stdio,id=c,mux=on', '-mon', 'chardev=c,mode=control'],
    ['-chardev', 'socket,id=c,path=/named,server=on', '-mon', 'c'],
    ['-qmp', 'unix:/named,server=on'],
    ['-serial', 'mon:stdio', '-serial', 'file:/named'],
  ]) {
    expect(judge(quiet, allowed)).toEqual([]);
  }
  for (const loud of [
    ['-chardev', 'pipe,id=c,path=/named', '-mon', 'chardev=c,mode=control'],
    ['-qmp', 'pipe:/named'],
    ['-monitor', '/named'],
  ]) {
    expect(effectsOf(loud, allowed)).toEqual(['listens']);
  }
});

test('what --replace names is an image, RAM or a kernel, in a format that is said', () => {
  const allowed = {
    named: new Set<string>(),
    replaced: new Set(['/data/x']),
    restored: new Map<string, string>(),
  };
  const words = [
    ...['-drive', 'file=/data/x,format=raw,if=none', '-kernel', '/data/x'],
    ...[
      '-object',
      'memory-backend-file,id=m,size=1G,mem-path=/data/x',
      '-cpu',
      'host,+vmx,-x2apic',
    ],
    ...['-blockdev', '{"driver":"qcow2","node-name":"q","file":"f","backing":null}'],
    ...['-blockdev', '{"driver":"file","node-name":"f","filename":"/data/x"}'],
    ...['-netdev', '{"type":"user","id":"n"}', '-netdev', 'tap,id=t,script=no'],
  ];
  expect(judge(words, allowed).map(({ part }) => part)).toEqual(['-netdev tap,id=t,script=no']);
});

test('what is shown has no control characters, and no end in sight is cut', () => {
  const [{ part }] = judge(['-plugin', `\x1b[2J\u202e\n${'x'.repeat(10_000)}`]);
  expect(part).toMatch(/^-plugin \$'\\x1b\[2J\\xe2\\x80\\xae\\x0a/);
  expect(part.length).toBeLessThan(400);
});
