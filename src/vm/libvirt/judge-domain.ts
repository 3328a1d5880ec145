// Which parts of a domain's XML could cost the host something that starts it. libvirt starts what the XML says, with rights
// that the VM does not have; an element that is not known to be harmless is a finding, and so is every path of the host.
//
// (libvirt docs/formatdomain.rst)
import { bashQuote } from '../qemu/bash-quote.js';
import type { AllowedPaths, Effect, Finding } from '../trust/effects.js';
import { isHarmlessDevice, isPackageFile, isQemuProgram } from '../trust/safe-files.js';
import { domainOf } from './domain-xml.js';
import {
  attributeOf,
  attributesOf,
  childrenOf,
  findChildren,
  isCdata,
  nameOf,
  parseXml,
  textOf,
  type XmlNode,
} from './xml-tree.js';

/** What stands in them is said, not done. */
const textElements: ReadonlySet<string> = new Set([
  ...['metadata', 'title', 'description', 'name', 'cmdline', 'partition', '#text', '#comment'],
]);

const topElements: ReadonlySet<string> = new Set([
  ...['name', 'uuid', 'genid', 'title', 'description', 'metadata', 'memory', 'currentMemory'],
  ...['maxMemory', 'memoryBacking', 'memtune', 'vcpu', 'vcpus', 'iothreads', 'iothreadids'],
  ...['defaultiothread', 'cputune', 'numatune', 'blkiotune', 'resource', 'os', 'features', 'cpu'],
  ...['clock', 'on_poweroff', 'on_reboot', 'on_crash', 'on_lockfailure', 'pm', 'perf', 'sysinfo'],
  ...['seclabel', 'devices', 'throttlegroups', '#text', '#comment'],
]);

const quietDevices: ReadonlySet<string> = new Set([
  ...['controller', 'video', 'memballoon', 'watchdog', 'panic', 'hub', 'iommu', 'memory', 'vsock'],
  ...['sound', 'crypto', 'disk', 'rng', '#text', '#comment'],
]);

/** By element, the values of its `type` that are harmless in themselves. */
const quietTypes: Readonly<Record<string, readonly string[]>> = {
  input: ['mouse', 'tablet', 'keyboard'],
  audio: ['none', 'spice'],
  interface: ['network', 'user', 'bridge'],
  graphics: ['vnc', 'spice'],
  serial: ['pty', 'null', 'vc', 'spiceport', 'file', 'unix', 'dev', 'pipe'],
  parallel: ['pty', 'null', 'vc', 'spiceport', 'file', 'unix', 'dev', 'pipe'],
  console: ['pty', 'null', 'vc', 'spiceport', 'file', 'unix', 'dev', 'pipe'],
  channel: ['pty', 'null', 'spicevmc', 'spiceport', 'unix', 'file', 'qemu-vdagent'],
  redirdev: ['spicevmc'],
};

const refusedDevices: Readonly<Record<string, readonly [Effect, string]>> = {
  hostdev: ['opens', 'gives the guest a device of the host'],
  filesystem: ['opens', 'gives the guest a folder of the host'],
  shmem: ['connects', 'shares memory with other processes'],
  smartcard: ['opens', 'uses a key of the host'],
};

const diskTypes: ReadonlySet<string> = new Set(['file', 'block']);
const loopback = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;
const nvramFolder = '/var/lib/libvirt/qemu/nvram/';
const nvramAttributes: ReadonlySet<string> = new Set([
  ...['template', 'templateFormat', 'format', 'type'],
]);
/** Below them a domain has a folder of its own: ID-NAME, or domain-ID-NAME. */
const channelFolder = /^\/(?:var\/lib|var\/run|run)\/libvirt\/qemu\/channel\/(?:target\/)?/;
/** How much of a domain's name is in the name of its folder. (libvirt src/conf/domain_conf.c virDomainDefGetShortName) */
const shortNameLength = 20;

/** `where` is for the message. Throws `image-invalid` when the text is no domain. */
export function judgeDomain(
  text: string,
  where: string,
  allowed: AllowedPaths,
): readonly Finding[] {
  const domain = domainOf(parseXml(text, where), where);
  const judge = new DomainJudge(allowed, findChildren(domain, 'name').map(textOf).at(0) ?? '');
  judge.domain(domain);
  return judge.findings;
}

class DomainJudge {
  readonly findings: Finding[] = [];
  readonly #allowed: AllowedPaths;
  readonly #name: string;

  constructor(allowed: AllowedPaths, name: string) {
    this.#allowed = allowed;
    this.#name = name;
  }

  domain(domain: XmlNode): void {
    const type = attributeOf(domain, 'type') ?? '';
    if (type !== 'kvm' && type !== 'qemu') {
      this.#find(`<domain type=${bashQuote(type)}>`, 'unknown');
    }
    for (const child of childrenOf(domain)) {
      const name = nameOf(child);
      if (name.includes(':')) {
        this.#find(
          `<${bashQuote(name)}>`,
          'runs',
          "hands options to QEMU past libvirt's own checks",
        );
      } else if (!topElements.has(name)) {
        this.#find(`<${bashQuote(name)}>`, 'unknown');
      } else if (name === 'devices') {
        childrenOf(child).forEach((device) => {
          this.#device(device);
        });
      } else if (name === 'os') {
        childrenOf(child).forEach((part) => {
          this.#systemPart(part);
        });
      } else {
        if (name === 'seclabel' && (attributeOf(child, 'type') ?? 'dynamic') !== 'dynamic') {
          this.#find('<seclabel>', 'opens', 'changes or takes away what confines QEMU');
        }
        this.#walk(child, name);
      }
    }
  }

  #systemPart(part: XmlNode): void {
    const name = nameOf(part);
    const path = textOf(part).trim();
    if (name === 'nvram' && childrenOf(part).every((child) => nameOf(child) === '#text')) {
      this.#variables(part, path);
      return;
    }
    const isRead = ['loader', 'kernel', 'initrd', 'dtb'].includes(name);
    if (isRead && isPackageFile(path) && childrenOf(part).length === 1) {
      return;
    }
    this.#walk(part, `os/${name}`);
  }

  /** The guest writes them, so as an image of another format they could lead to any file. */
  #variables(part: XmlNode, path: string): void {
    this.#path(attributeOf(part, 'template') ?? '', '<nvram template>', true);
    const format = attributeOf(part, 'format') ?? 'raw';
    const ending = format === 'raw' ? 'fd' : format === 'qcow2' ? 'qcow2' : undefined;
    const own = `${nvramFolder}${this.#name}_VARS.${ending ?? ''}`;
    if (
      ending === undefined ||
      attributesOf(part).some(([key]) => !nvramAttributes.has(key)) ||
      (attributeOf(part, 'type') ?? 'file') !== 'file'
    ) {
      this.#find('<nvram>', 'unknown', 'this kind of it is not known to be harmless');
    }
    if (this.#name === '' || this.#name.includes('/') || path !== own) {
      this.#path(path, '<nvram>', false);
    }
  }

  #device(device: XmlNode): void {
    const name = nameOf(device);
    const type = attributeOf(device, 'type') ?? '';
    const part = `<${bashQuote(name)}${type === '' ? '' : ` type=${bashQuote(type)}`}>`;
    if (name === 'emulator') {
      this.#emulator(device);
      return;
    }
    if (Object.hasOwn(refusedDevices, name)) {
      this.#find(part, ...refusedDevices[name]);
      return;
    }
    const types = Object.hasOwn(quietTypes, name) ? quietTypes[name] : undefined;
    if (types === undefined ? !quietDevices.has(name) && name !== 'tpm' : !types.includes(type)) {
      this.#find(part, 'unknown', 'this device, or this kind of it, is not known to be harmless');
      return;
    }
    if (name === 'disk' && !diskTypes.has(type === '' ? 'file' : type)) {
      this.#find(part, 'connects', 'is no file or device of this host');
    }
    if (name === 'disk') {
      this.#format(device, part);
    }
    if (name === 'channel' && type === 'unix') {
      this.#channel(device, part);
    }
    const backends = findChildren(device, 'backend').map(
      (node) => attributeOf(node, 'type') ?? attributeOf(node, 'model') ?? '',
    );
    if (backends.some((kind) => !['', 'emulator', 'random', 'builtin', 'default'].includes(kind))) {
      this.#find(part, 'opens', `uses ${backends.map(bashQuote).join(', ')} of the host`);
    }
    if (name === 'interface') {
      for (const script of ['script', 'downscript']) {
        if (findChildren(device, script).length > 0) {
          this.#find(`${part} <${script}>`, 'runs', 'runs a script of the host');
        }
      }
    }
    if (name === 'graphics' && isReached(device)) {
      this.#find(part, 'listens', 'shows the VM, and takes keys for it, over the network');
    }
    this.#walk(device, part);
  }

  /** What the guest wrote is not taken for the structure of an image. */
  #format(disk: XmlNode, part: string): void {
    const types = findChildren(disk, 'driver').map((node) => attributeOf(node, 'type') ?? 'raw');
    for (const source of findChildren(disk, 'source')) {
      const format = this.#allowed.restored.get(attributeOf(source, 'file') ?? '');
      const wrong = format === undefined ? undefined : types.find((said) => said !== format);
      if (wrong !== undefined) {
        this.#find(part, 'opens', `is ${format ?? ''}, and is to be opened as ${bashQuote(wrong)}`);
      }
    }
  }

  /** Without a path libvirt makes one; a socket of another's is not to be talked to. */
  #channel(channel: XmlNode, part: string): void {
    for (const source of findChildren(channel, 'source')) {
      const path = attributeOf(source, 'path') ?? '';
      const mode = attributeOf(source, 'mode') ?? (path === '' ? 'bind' : 'connect');
      if (mode !== 'bind' && !this.#allowed.named.has(path)) {
        this.#find(`${part} <source mode>`, 'connects', 'talks to a socket of the host');
      }
    }
  }

  #emulator(emulator: XmlNode): void {
    const program = textOf(emulator).trim();
    this.#expectPlain(emulator, '<emulator>');
    if (!isQemuProgram(program, this.#allowed.named)) {
      this.#find(
        `<emulator>${bashQuote(program)}`,
        'runs',
        'is no QEMU where packages put it (qemu-system-*)',
      );
    }
  }

  /** Every attribute and text that names a path of the host. */
  #walk(node: XmlNode, where: string): void {
    const name = nameOf(node);
    if (textElements.has(name)) {
      return;
    }
    this.#expectPlain(node, where);
    if (name.includes(':')) {
      this.#find(where, 'unknown');
    }
    for (const [key, value] of attributesOf(node)) {
      if (!key.startsWith('xmlns')) {
        this.#value(value, `${where} ${bashQuote(key)}`);
      }
    }
    this.#value(textOf(node).trim(), where);
    for (const child of childrenOf(node)) {
      const childName = nameOf(child);
      this.#walk(child, childName.startsWith('#') ? where : `${where} <${bashQuote(childName)}>`);
    }
  }

  #value(value: string, where: string): void {
    if (value.includes('&#')) {
      this.#find(where, 'unknown', 'has a character reference that is not read here');
    } else if (value.includes('/')) {
      const isTerminal = /^\/dev\/pts\/\d+$/.test(value) && where.includes('type=pty');
      const isChannel = where === '<channel type=unix> <source> path' && this.#isOwnChannel(value);
      if (!isTerminal && !isChannel) {
        this.#path(value, where, false);
      }
    }
  }

  #path(path: string, where: string, isReadOnly: boolean): void {
    const { named, restored } = this.#allowed;
    const isAllowed =
      path === '' ||
      named.has(path) ||
      (/^<disk(?: type=\w+)?> <source> (?:file|dev)$/.test(where) && restored.has(path)) ||
      isHarmlessDevice(path) ||
      (isReadOnly && isPackageFile(path));
    if (!isAllowed) {
      this.#find(`${where} ${bashQuote(path)}`, 'opens', undefined, path);
    }
  }

  /** libvirt reads what stands in CDATA as text. */
  #expectPlain(node: XmlNode, where: string): void {
    if (childrenOf(node).some(isCdata)) {
      this.#find(where, 'unknown', 'has text in CDATA, which libvirt never writes');
    }
  }

  #isOwnChannel(path: string): boolean {
    const [folder, socket, ...more] = path.replace(channelFolder, '').split('/');
    const shortName = Array.from(this.#name).slice(0, shortNameLength).join('');
    return (
      channelFolder.test(path) &&
      shortName !== '' &&
      /^(?:domain-)?\d{1,10}-/.exec(folder)?.[0] === folder.slice(0, -shortName.length) &&
      folder.endsWith(shortName) &&
      /^[\w-][\w.-]*$/.test(socket) &&
      more.length === 0
    );
  }

  #find(part: string, effect: Effect, why?: string, path?: string): void {
    this.findings.push({
      part,
      effect,
      ...(why === undefined ? {} : { why }),
      ...(path === undefined ? {} : { path }),
    });
  }
}

function isReached(graphics: XmlNode): boolean {
  const listens = findChildren(graphics, 'listen');
  const addresses = [graphics, ...listens].flatMap((node) =>
    [attributeOf(node, node === graphics ? 'listen' : 'address') ?? []].flat(),
  );
  return (
    addresses.some((address) => !loopback.test(address)) ||
    listens.some((node) => attributeOf(node, 'type') === 'network')
  );
}
