// What each option of QEMU can do to the host that runs it: one table, for QEMU 2.0 to 10. What is not in it is not known,
// and is not run on a snapshot's word.
//
// Values are looked at as well: a value that names an absolute path opens it, whatever the key, unless the key is one whose
// value only the guest sees. (QEMU qemu-options.hx, qapi/*.json)
import type { Effect } from './effects.js';
import type { PathUse } from './judge-path.js';

export interface Refusal {
  readonly effect: Effect;
  readonly why?: string;
}

export interface SettingsRule {
  readonly form: 'settings';
  /** Keys that say the kind; '' is the first word. */
  readonly kindKeys?: readonly string[];
  /** By kind; a kind that is not here does what `others` says, or is not known. Absent: there are none. */
  readonly kinds?: Readonly<Record<string, Refusal | 'harmless'>>;
  readonly others?: Refusal;
  /** Keys whose values are paths of the host, also without a slash. */
  readonly paths?: RegExp;
  /** A kind that writes to a file of its own choice where no `path` says which. */
  readonly pathNeededBy?: { readonly kind: string; readonly refusal: Refusal };
  readonly refused?: Readonly<Record<string, Refusal>>;
  /** Only the guest sees their values. */
  readonly texts?: RegExp;
  /** Where given, any other key is not known. */
  readonly keys?: RegExp;
}

export type OptionRule =
  /** A flag, or words that only the guest sees. */
  | { readonly form: 'harmless' }
  | SettingsRule
  /** The value is one path. */
  | { readonly form: 'path'; readonly use: PathUse }
  /** A character device in the old short form. */
  | { readonly form: 'character'; readonly commandsQemu?: boolean }
  /** A disk image alone, whose format QEMU guesses. */
  | { readonly form: 'image' }
  /** Images: src/vm/trust/judge-images.ts. */
  | { readonly form: 'drive' }
  | { readonly form: 'node' }
  | { readonly form: 'device' }
  | { readonly form: 'global' }
  | { readonly form: 'refused'; readonly refusal: Refusal };

const harmless = { form: 'harmless' } as const;
const settings = (rule: Omit<SettingsRule, 'form'> = {}): SettingsRule => ({
  form: 'settings',
  ...rule,
});
const refused = (effect: Effect, why?: string): OptionRule => ({
  form: 'refused',
  refusal: { effect, ...(why === undefined ? {} : { why }) },
});
const readPath = { form: 'path', use: 'read' } as const;
const anyPath = { form: 'path', use: 'other' } as const;
const each = <T>(names: readonly string[], rule: T): Readonly<Record<string, T>> =>
  Object.fromEntries(names.map((name) => [name, rule]));

const runs = (why: string): Refusal => ({ effect: 'runs', why });
const opens = (why: string): Refusal => ({ effect: 'opens', why });
const listens = (why: string): Refusal => ({ effect: 'listens', why });
const connects = (why: string): Refusal => ({ effect: 'connects', why });

const network = settings({
  kindKeys: ['', 'type'],
  kinds: {
    ...each(['user', 'none', 'nic', 'hubport'], 'harmless'),
    tap: runs("joins a network of the host, by default with a script of the host's own"),
    bridge: runs("joins a bridge of the host, by a helper with root's rights"),
    passt: runs('starts passt'),
    ...each(['socket', 'stream', 'dgram', 'l2tpv3'], connects('joins a network through sockets')),
    vde: connects('joins a switch of the host'),
    ...each(['netmap', 'af-xdp', 'vhost-vdpa'], opens('takes a network device of the host')),
    'vhost-user': connects('shares its memory with another process'),
    ...each(['vmnet-host', 'vmnet-shared', 'vmnet-bridged'], opens('joins a network of the host')),
  },
  refused: {
    ...each(['script', 'downscript', 'ifup', 'ifdown'], runs('runs a script of the host')),
    helper: runs('runs a helper of the host'),
    smb: runs('starts smbd, and gives the guest a folder of the host'),
    guestfwd: runs('gives the guest a program of the host to run, or a connection'),
    hostfwd: listens('lets others reach the guest through a port of the host'),
    tftp: opens('gives the guest a folder of the host'),
  },
  texts: /^(?:net|ipv6-net|host|dhcpstart|dns|ipv6-dns|ipv6-host|bootfile|hostname|domainname)$/,
  keys: /^(?:|type|id|netdev|model|mac|macaddr|vectors|addr|name|hubid|vlan|br|ipv[46]|restrict|net|host|ipv6-(?:net|host|dns|prefix|prefixlen)|dns|dnssearch|dhcpstart|hostname|domainname|bootfile|smbserver|tftp-server-name|dnssearch\.\d+\.str)$/,
});

const objectKinds: SettingsRule['kinds'] = {
  ...each(
    [
      ...['iothread', 'throttle-group', 'thread-context', 'main-loop', 'can-bus', 'secret'],
      ...['memory-backend-ram', 'memory-backend-memfd', 'memory-backend-file', 'authz-simple'],
      ...['rng-builtin', 'rng-random', 'authz-list', 'cryptodev-backend-builtin'],
      ...['cryptodev-backend', 'filter-buffer', 'tls-creds-anon'],
    ],
    'harmless',
  ),
  'filter-dump': opens("writes the guest's packets to a file"),
  'pr-manager-helper': connects('talks to a helper that has rights of its own'),
  'rng-egd': connects('talks to another process'),
  'input-linux': opens("takes the host's keyboard or mouse"),
  'authz-pam': runs("asks the host's PAM"),
  ...each(['sev-guest', 'sev-snp-guest', 'tdx-guest'], opens("uses the host's secure processor")),
};

const displayKinds: SettingsRule['kinds'] = {
  ...each(['none', 'curses', 'gtk', 'sdl', 'cocoa', 'default'], 'harmless'),
  vnc: listens('shows the VM, and takes keys for it, over the network'),
  dbus: listens('shows the VM to others over D-Bus'),
  'spice-app': runs('starts a viewer'),
  'egl-headless': opens("uses the host's graphics"),
};

const chardevKinds: SettingsRule['kinds'] = {
  ...each(
    [
      ...['null', 'stdio', 'vc', 'pty', 'ringbuf', 'memory', 'msmouse', 'testdev', 'wctablet'],
      ...['spicevmc', 'spiceport', 'file', 'pipe', 'serial', 'tty', 'parallel', 'parport'],
      'socket',
    ],
    'harmless',
  ),
  udp: connects('sends and receives over the network'),
  console: opens('takes the console of the host'),
  braille: opens('takes a braille device of the host'),
  dbus: listens('is offered to others over D-Bus'),
};

/** By name, without the dash; '' is a disk image that stands alone. */
export const optionRules: Readonly<Record<string, OptionRule>> = {
  // Flags.
  ...each(
    [
      ...['alt-grab', 'async-teardown', 'audio-help', 'ctrl-grab', 'curses', 'enable-fips'],
      ...['enable-kvm', 'enable-sync-profile', 'full-screen', 'h', 'help', 'mem-prealloc'],
      ...['no-acpi', 'no-fd-bootchk', 'no-frame', 'no-hpet', 'no-kvm', 'no-kvm-irqchip'],
      ...['no-kvm-pit', 'no-kvm-pit-reinjection', 'no-quit', 'no-reboot', 'no-shutdown'],
      ...['no-user-config', 'nodefaults', 'nodefconfig', 'nographic', 'old-param'],
      ...['one-insn-per-tb', 'only-migratable', 'portrait', 'sdl', 'singlestep', 'snapshot'],
      ...['tdf', 'usb', 'version', 'win2k-hack', 'daemonize', 'preconfig', 'S'],
    ],
    harmless,
  ),
  // Words for the guest, and QEMU's own conduct.
  ...each(
    [
      ...['append', 'prom-env', 'name', 'uuid', 'echr', 'g', 'd', 'dfilter', 'seed', 'runas'],
      ...['rotate', 'clock', 'balloon'],
    ],
    harmless,
  ),
  ...each(
    [
      ...['m', 'smp', 'cpu', 'numa', 'rtc', 'vga', 'action', 'watchdog', 'watchdog-action'],
      ...['msg', 'overcommit', 'realtime', 'sandbox', 'k', 'compat', 'accel'],
    ],
    settings(),
  ),
  M: settings({ paths: /^(?:kernel|initrd|dtb|dumpdtb|firmware|shim)$/, texts: /^append$/ }),
  machine: settings({ paths: /^(?:kernel|initrd|dtb|dumpdtb|firmware|shim)$/, texts: /^append$/ }),
  boot: settings({ paths: /^splash$/ }),
  icount: settings({ paths: /^rrfile$/ }),
  smbios: settings({ paths: /^(?:file|path)$/, texts: /^(?!file$|path$)/ }),
  acpitable: settings({ paths: /^(?:file|data)$/ }),
  fw_cfg: settings({ paths: /^file$/, texts: /^(?:|name|string)$/ }),
  trace: settings({ paths: /^(?:file|events)$/ }),
  display: settings({
    kindKeys: ['', 'type'],
    kinds: displayKinds,
    refused: { vnc: listens('shows the VM, and takes keys for it, over the network') },
  }),
  usbdevice: settings({
    kindKeys: [''],
    kinds: each(['tablet', 'mouse', 'keyboard', 'wacom-tablet'], 'harmless'),
  }),
  mon: settings({ keys: /^(?:|chardev|mode|pretty|id|default)$/ }),
  // Parts of the machine.
  device: { form: 'device' },
  global: { form: 'global' },
  object: settings({
    kindKeys: ['', 'qom-type'],
    kinds: objectKinds,
    paths: /^(?:mem-path|filename|file|dir|path|evdev|addr|.*-file|.*-device)$/,
    texts: /^(?:data|identity|match)$/,
  }),
  chardev: settings({
    kindKeys: ['', 'backend'],
    kinds: chardevKinds,
    paths: /^(?:path|logfile|input-path)$/,
    refused: {
      ...each(['host', 'port', 'addr'], connects('is reached, or reaches others, by the network')),
      ...each(['fd', 'fdset'], opens('uses what another process has opened')),
      abstract: listens('is reached by every process of the host'),
    },
    keys: /^(?:|backend|id|path|server|wait|nodelay|reconnect|reconnect-ms|telnet|tn3270|websocket|tls-authz|mux|signal|size|width|height|cols|rows|append|logfile|logappend|input-path|name|debug|clipboard|mouse|tight)$/,
  }),
  netdev: network,
  net: network,
  nic: network,
  // Disks.
  drive: { form: 'drive' },
  blockdev: { form: 'node' },
  ...each(['', 'hda', 'hdb', 'hdc', 'hdd', 'cdrom', 'fda', 'fdb', 'sd', 'mtdblock', 'pflash'], {
    form: 'image',
  } as const),
  // Files.
  ...each(['kernel', 'initrd', 'dtb', 'bios', 'L', 'option-rom', 'shim'], readPath),
  ...each(['D', 'pidfile', 'dump-vmstate', 'writeconfig', 'qtest-log', 'chroot'], anyPath),
  'mem-path': { form: 'path', use: 'memory' },
  tpmdev: settings({
    kindKeys: ['', 'type'],
    kinds: { emulator: 'harmless', passthrough: opens("takes the host's TPM") },
    paths: /^(?:path|cancel-path)$/,
  }),
  audiodev: settings({
    kindKeys: ['', 'driver'],
    kinds: {
      ...each(['none', 'spice', 'wav'], 'harmless'),
      ...each(
        ['alsa', 'coreaudio', 'dbus', 'dsound', 'jack', 'oss', 'pa', 'pipewire', 'sdl', 'sndio'],
        opens("uses the host's sound"),
      ),
    },
    paths: /^(?:path|server)$/,
    pathNeededBy: { kind: 'wav', refusal: opens('writes to qemu.wav where it is started') },
  }),
  fsdev: refused('opens', 'gives the guest a folder of the host'),
  virtfs: refused('opens', 'gives the guest a folder of the host'),
  // Who can reach them.
  serial: { form: 'character' },
  parallel: { form: 'character' },
  debugcon: { form: 'character' },
  virtiocon: { form: 'character' },
  monitor: { form: 'character', commandsQemu: true },
  qmp: { form: 'character', commandsQemu: true },
  'qmp-pretty': { form: 'character', commandsQemu: true },
  gdb: { form: 'character', commandsQemu: true },
  qtest: { form: 'character', commandsQemu: true },
  s: refused('listens', 'lets every user of the host debug the guest, by port 1234'),
  vnc: settings({
    kindKeys: [''],
    kinds: { none: 'harmless' },
    others: listens('shows the VM, and takes keys for it, over the network'),
  }),
  spice: refused('listens', 'shows the VM, and takes keys for it, over the network'),
  iscsi: refused('connects'),
  incoming: refused('runs', 'loads a state from where it says, or from what a command writes'),
  loadvm: refused('opens', 'loads another state'),
  // What runs programs, or turns other options into what they are not.
  plugin: refused('runs', 'loads code into QEMU'),
  readconfig: refused('runs', 'reads more options from a file'),
  set: refused('unknown', 'changes another option'),
  'add-fd': refused('opens', 'uses what another process has opened'),
  'run-with': refused('opens', 'changes the folder or the user that QEMU runs as'),
  semihosting: refused('runs', 'lets the guest open files and run programs of the host'),
  'semihosting-config': refused('runs', 'lets the guest open files and run programs of the host'),
};
