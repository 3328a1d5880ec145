// What is found in a domain's XML that came out of a store.
import { judgeDomain } from '../../../src/vm/libvirt/judge-domain.js';
import { sampleDomain } from './sample-domain.js';

const quiet = `<domain type='kvm'><name>web</name><memory>1024</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS.fd'>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram></os>
  <features><acpi/></features><resource><partition>/machine</partition></resource>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/out/d'/><target dev='vda'/></disk>
    <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
    <interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>
    <serial type='pty'><source path='/dev/pts/3'/><target port='0'/></serial>
    <channel type='unix'><source mode='bind' path='/var/lib/libvirt/qemu/channel/target/domain-3-web/org.qemu.guest_agent.0'/></channel>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    EXTRA</devices>
  TOP</domain>`;

const allowed = { named: new Set<string>(), restored: new Map([['/out/d', 'raw']]) };
const judge = (extra = '', top = '', change = (xml: string) => xml) =>
  judgeDomain(change(quiet.replace('EXTRA', extra).replace('TOP', top)), 'it', allowed);

test('a common domain on restored disks is harmless', () => {
  expect(judge()).toEqual([]);
});

test.each([
  "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
  "<channel type='unix'><source mode='bind'/></channel>",
  "<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/12-web/a.b.0'/></channel>",
])("the domain's own channel is harmless: %s", (extra) => {
  expect(judge(extra)).toEqual([]);
});

test('firmware variables may be an image of the format that their name says', () => {
  const nvram = "<nvram format='qcow2'>/var/lib/libvirt/qemu/nvram/web_VARS.qcow2</nvram>";
  expect(judge('', `<os>${nvram}</os>`)).toEqual([]);
});

test.each([
  ['runs', "<interface type='network'><script path='/tmp/x'/></interface>"],
  ['unknown', "<interface type='ethernet'><script path='/tmp/x'/></interface>"],
  ['opens', "<hostdev mode='subsystem' type='usb'/>"],
  ['opens', "<filesystem type='mount'><source dir='/'/></filesystem>"],
  ['connects', "<shmem name='x'/>"],
  ['opens', "<serial type='file'><source path='/etc/passwd'/></serial>"],
  ['opens', "<serial type='pty'><log file='/etc/passwd'/></serial>"],
  ['unknown', "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='1'/></serial>"],
  ['opens', "<disk type='file'><source file='/etc/shadow'/></disk>"],
  ['opens', "<disk type='file'><source file='etc/shadow'/></disk>"],
  ['opens', "<disk type='file'><source file='&#47;etc&#47;shadow'/></disk>"],
  ['unknown', "<disk type='file'><source file='&#000000000047;etc'/></disk>"],
  ['connects', "<disk type='network'><source protocol='rbd' name='x'/></disk>"],
  ['listens', "<graphics type='vnc' listen='0.0.0.0'/>"],
  ['listens', "<graphics type='vnc'><listen type='address' address='0.0.0.0'/></graphics>"],
  ['opens', "<rng model='virtio'><backend model='random'>/etc/shadow</backend></rng>"],
  ['opens', "<rng model='virtio'><backend model='egd' type='udp'/></rng>"],
  ['opens', "<interface type='network'><rom file='/etc/shadow'/></interface>"],
  ['unknown', '<newdevice/>'],
  ['runs', '<emulator>/tmp/x</emulator>'],
  ...[
    "mode='connect' path='/var/lib/libvirt/qemu/domain-7-victim/monitor.sock'",
    "mode='connect' path='/var/lib/libvirt/qemu/channel/target/domain-3-web/a'",
    "path='/var/lib/libvirt/qemu/channel/target/domain-3-web/a'",
    "mode='connect'",
  ].map((source): [string, string] => [
    'connects',
    `<channel type='unix'><source ${source}/><target type='virtio' name='x.y'/></channel>`,
  ]),
  ...[
    '/var/lib/libvirt/qemu/domain-3-web/monitor.sock',
    '/var/lib/libvirt/qemu/channel/target/domain-7-victim/org.qemu.guest_agent.0',
    '/var/lib/libvirt/qemu/channel/target/domain-7-other-web/a',
    '/var/lib/libvirt/qemu/channel/target/domain-3-web/../domain-7-victim/a',
    '/var/lib/libvirt/qemu/channel/target/domain-3-web/..',
    '/run/libvirt/qemu/channel/7-victim/a',
    '/tmp/x',
  ].map((path): [string, string] => [
    'opens',
    `<channel type='unix'><source mode='bind' path='${path}'/></channel>`,
  ]),
  ['opens', "<disk type='file'><driver name='qemu' type='qcow2'/><source file='/out/d'/></disk>"],
  [
    'opens',
    "<disk type='file'><driver name='qemu' type='raw'/><source file='/out/d'/>" +
      "<backingStore type='file'><format type='qcow2'/><source file='/out/d'/></backingStore></disk>",
  ],
  ['unknown', '<emulator><![CDATA[/tmp/x]]></emulator>'],
])('%s: %s', (effect, extra) => {
  expect(judge(extra).map((finding) => finding.effect)).toContain(effect);
});

test.each([
  ['runs', "<qemu:commandline xmlns:qemu='x'><qemu:arg value='-S'/></qemu:commandline>"],
  ['runs', "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>"],
  ['unknown', "<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'/>"],
  ['opens', "<seclabel type='none'/>"],
  ['opens', '<os><kernel>/etc/shadow</kernel></os>'],
  ['opens', '<os><loader>/tmp/x</loader></os>'],
  ['opens', '<os><nvram>/var/lib/libvirt/qemu/save/web.save</nvram></os>'],
  ['opens', '<os><nvram>/var/lib/libvirt/qemu/nvram/web2_VARS.fd</nvram></os>'],
  ['opens', '<os><nvram>/var/lib/libvirt/qemu/nvram/web_VARS.fd.bak</nvram></os>'],
  ['opens', "<os><nvram format='qcow2'>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram></os>"],
  [
    'unknown',
    "<os><nvram format='vmdk' type='file'>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram></os>",
  ],
  ['opens', '<os><nvram>/var/lib/libvirt/qemu/nvram/other_VARS.fd</nvram></os>'],
  ['opens', '<os><nvram>/var/lib/libvirt/qemu/nvram/../../../../../etc/web</nvram></os>'],
  ['opens', "<sysinfo type='fwcfg'><entry name='opt/x' file='/etc/shadow'/></sysinfo>"],
])('%s: %s', (effect, top) => {
  expect(judge('', top).map((finding) => finding.effect)).toContain(effect);
});

test('each thing of the sample that leaves the VM is told by name', () => {
  const parts = judgeDomain(sampleDomain, 'it', allowed).map(({ part }) => part);
  expect(parts.join('\n')).toMatch(/a'\\''b\.qcow2/);
  expect(parts.join('\n')).toMatch(/golden\.qcow2/);
  expect(parts.join('\n')).toMatch(/dev\/vg\/data/);
  expect(parts.join('\n')).toMatch(/qemu:commandline/);
});
