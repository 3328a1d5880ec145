// Which parts of a QEMU command line could cost the host something, by the table in option-rules.ts. A part without a finding
// is known to be harmless; doubt is a finding.
import { bashQuote } from '../bash-quote.js';
import { type Setting, settingsOf } from '../option-value.js';
import { optionWords, type QemuCommand, type QemuOption } from '../qemu-command.js';
import { hostProperty, refusalOfDevice } from './device-rules.js';
import { type AllowedPaths, type Finding } from './effects.js';
import { formatProblems } from './image-formats.js';
import { optionRules, type Refusal, type SettingsRule } from './option-rules.js';
import { isHarmlessDevice, isMemoryFolder, isPackageFile, isQemuProgram } from './safe-files.js';

/** Shown of one option. */
const maxPartLength = 300;

/** The part that the finding is about is the option itself. */
type Judged = Omit<Finding, 'part'>;

/** In the order of the command line, each once. */
export function judgeCommand(command: QemuCommand, allowed: AllowedPaths): readonly Finding[] {
  const { program, options } = command;
  const findings = isQemuProgram(program, allowed.named)
    ? []
    : [
        {
          part: shown(bashQuote(program)),
          effect: 'runs' as const,
          why: 'is no QEMU that the host has where packages put it (qemu-system-*)',
          ...(program.startsWith('/') && /\/(?:qemu-system-[a-z0-9_]+|qemu-kvm|kvm)$/.test(program)
            ? { path: program }
            : {}),
        },
      ];
  const ofFormats = formatProblems(options, allowed);
  return unique([
    ...findings,
    ...options.flatMap((option) => {
      const part = shown(optionWords(option).map(bashQuote).join(' '));
      const why = ofFormats.get(option);
      return [
        ...judgeOption(option, allowed),
        ...(why === undefined ? [] : [{ effect: 'opens' as const, why }]),
      ].map((judged) => ({ part, ...judged }));
    }),
  ]);
}

function judgeOption({ name, value = '' }: QemuOption, allowed: AllowedPaths): readonly Judged[] {
  const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined;
  switch (rule?.form) {
    case undefined:
      return [{ effect: 'unknown' }];
    case 'harmless':
      return [];
    case 'refused':
      return [rule.refusal];
    case 'path':
      return judgePath(value, allowed, rule.isReadOnly === true);
    case 'settings':
      return judgeSettings(namedSettings(value), rule, allowed);
    case 'character':
      return judgeCharacter(value, allowed, rule.commandsQemu === true);
    case 'image':
      return judgeImage(value, allowed);
    case 'drive':
    case 'node':
      return judgeImageSettings(namedSettings(value), rule.form === 'drive', allowed);
    case 'device':
      return judgeDevice(namedSettings(value), allowed);
    case 'global':
      return judgeGlobal(value, allowed);
  }
}

/** A word without a value is `word=on`, but for the first. */
function namedSettings(text: string): readonly Setting[] {
  return settingsOf(text).map(({ key, value }, index) =>
    key === '' && index > 0 ? { key: value, value: 'on' } : { key, value },
  );
}

function judgeSettings(
  settings: readonly Setting[],
  rule: SettingsRule,
  allowed: AllowedPaths,
): readonly Judged[] {
  return settings.flatMap(({ key, value }): readonly Judged[] => {
    // JSON's lists have numbers in their keys.
    const head = key.split('.', 1)[0];
    if (rule.kinds !== undefined && rule.kindKeys?.includes(key) === true) {
      return judgeKind(value, rule);
    }
    if (rule.refused !== undefined && Object.hasOwn(rule.refused, head)) {
      return value === 'no' || value === 'off' ? [] : [rule.refused[head]];
    }
    if (rule.keys?.test(key) === false && !rule.keys.test(head)) {
      return [{ effect: 'unknown', why: `${bashQuote(key)} is not known here` }];
    }
    if (rule.texts?.test(key) === true) {
      return [];
    }
    return rule.paths?.test(key) === true || rule.paths?.test(head) === true || isPathLike(value)
      ? judgePath(value, allowed, rule.isReadOnly === true)
      : [];
  });
}

function judgeKind(kind: string, { kinds = {}, others }: SettingsRule): readonly Judged[] {
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known === 'harmless') {
    return [];
  }
  return [
    known ?? others ?? { effect: 'unknown', why: `the kind ${bashQuote(kind)} is not known here` },
  ];
}

function isPathLike(value: string): boolean {
  return value.includes('/');
}

function judgePath(
  path: string,
  { named, restored }: AllowedPaths,
  isReadOnly: boolean,
): readonly Judged[] {
  const isAllowed =
    path === '' ||
    named.has(path) ||
    // What is read as firmware or options may not come from the guest's own disk.
    (!isReadOnly && restored.has(path)) ||
    isHarmlessDevice(path) ||
    isMemoryFolder(path) ||
    (isReadOnly && isPackageFile(path));
  return isAllowed ? [] : [{ effect: 'opens', why: `opens ${bashQuote(path)} of the host`, path }];
}

const quietCharacter = /^(?:none|null|stdio|vc(?::[\dxXC]*)?|pty|msmouse|chardev:[\w.-]+)$/;

function judgeCharacter(
  value: string,
  allowed: AllowedPaths,
  commandsQemu: boolean,
): readonly Judged[] {
  const device = value.replace(/^mon:/, '');
  if (quietCharacter.test(device)) {
    return [];
  }
  const path = /^(?:(?:file|pipe|unix):)?(\/.*)$/s.exec(device)?.[1];
  // Of a socket, what follows the comma is about it.
  const bare = device.startsWith('unix:') ? path?.split(',', 1)[0] : path;
  if (bare !== undefined && allowed.named.has(bare)) {
    return [];
  }
  const isReached = /^(?:unix|tcp|telnet|websocket|tn3270):/.test(device) && commandsQemu;
  return [
    {
      effect: isReached ? 'listens' : bare === undefined ? 'connects' : 'opens',
      ...(isReached
        ? { why: 'whoever reaches it commands QEMU, and by it runs programs of the host' }
        : bare === undefined
          ? {}
          : { why: `opens ${bashQuote(bare)} of the host` }),
      ...(bare === undefined ? {} : { path: bare }),
    },
  ];
}

/** An image alone, or behind a protocol (`fat:`, `ssh:`, `json:`). */
function judgeImage(path: string, allowed: AllowedPaths): readonly Judged[] {
  return judgePath(path, allowed, false);
}

const imageDrivers: ReadonlySet<string> = new Set([
  ...['raw', 'file', 'host_device', 'host_cdrom', 'qcow2', 'null-co', 'null-aio', 'throttle'],
  ...['copy-on-read', 'compress', 'preallocate'],
]);
const driverKey = /^(?:(?:file|backing)\.)*(?:driver|format)$/;
const pathKey = /^(?:(?:file|backing)\.)*filename$/;
const imageKey =
  /^(?:(?:file|backing)\.)*(?:node-name|read-?only|auto-read-only|discard|detect-zeroes|cache(?:\.direct|\.no-flush|\.writeback)?|aio|aio-max-batch|locking|force-share|size|offset|drop-cache|file|backing|data-file|pass-discard-[a-z]+|lazy-refcounts|overlap-check|cache-size|l2-cache-size|refcount-cache-size|cache-clean-interval|read-zeroes|latency-ns|throttle-group|throttling\.[a-z.-]+|prealloc-[a-z]+|copy-on-read|pr-manager)$/;
const driveKey =
  /^(?:if|index|bus|unit|media|snapshot|id|werror|rerror|serial|bps[a-z_-]*|iops[a-z_-]*|group|addr|name|boot|cyls|heads|secs|trans|stats-[a-z.-]+)$/;

function judgeImageSettings(
  settings: readonly Setting[],
  isDrive: boolean,
  allowed: AllowedPaths,
): readonly Judged[] {
  const isReadOnly = settings.some(
    ({ key, value }) => /^read-?only$/.test(key) && /^(?:on|yes|true|y)$/.test(value),
  );
  return settings.flatMap(({ key, value }): readonly Judged[] => {
    if (driverKey.test(key)) {
      return imageDrivers.has(value)
        ? []
        : [
            {
              effect: 'opens',
              why: `images of the kind ${bashQuote(value)} can lead to other files, or away from the host`,
            },
          ];
    }
    if (pathKey.test(key) || (isDrive && key === 'file')) {
      return isReadOnly && isPackageFile(value) ? [] : judgeImage(value, allowed);
    }
    if (!imageKey.test(key) && !(isDrive && driveKey.test(key))) {
      return [
        { effect: 'unknown', why: `${bashQuote(key === '' ? value : key)} is not known here` },
      ];
    }
    if (isDrive && key === 'serial') {
      return [];
    }
    // A reference to a node is its name.
    return isPathLike(value) || value.includes(':') ? judgePath(value, allowed, false) : [];
  });
}

function judgeDevice(settings: readonly Setting[], allowed: AllowedPaths): readonly Judged[] {
  const types = settings.filter(({ key }) => key === '' || key === 'driver');
  return [
    ...(types.length === 0 ? [{ effect: 'unknown' as const }] : []),
    ...types.flatMap(({ value }): readonly Judged[] => {
      const refusal: Refusal | undefined = refusalOfDevice(value);
      return refusal === undefined ? [] : [refusal];
    }),
    ...settings
      .filter((setting) => !types.includes(setting))
      .flatMap(({ key, value }) => judgeProperty(key, value, allowed)),
  ];
}

const guestProperty = /^(?:serial|model|mac|product|vendor|ver|device_id|wwn|osk|name|id|nqn)$/;

function judgeProperty(key: string, value: string, allowed: AllowedPaths): readonly Judged[] {
  if (guestProperty.test(key)) {
    return [];
  }
  // Some devices take the backend's own name for a file.
  return hostProperty.test(key) || isPathLike(value) ? judgePath(value, allowed, true) : [];
}

/** `DRIVER.PROPERTY=VALUE`, or `driver=...,property=...,value=...`. */
function judgeGlobal(text: string, allowed: AllowedPaths): readonly Judged[] {
  const short = /^[\w-]+\.([\w.-]+)=(.*)$/s.exec(text);
  if (short !== null && !/^(?:driver|property|value)=/.test(text)) {
    return judgeProperty(short[1], short[2], allowed);
  }
  const settings = namedSettings(text);
  const property = settings.findLast(({ key }) => key === 'property')?.value;
  const value = settings.findLast(({ key }) => key === 'value')?.value;
  return property === undefined || value === undefined
    ? [{ effect: 'unknown' }]
    : judgeProperty(property, value, allowed);
}

function shown(text: string): string {
  return text.length > maxPartLength ? `${text.slice(0, maxPartLength)}...` : text;
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify(finding);
    return seen.size !== seen.add(key).size;
  });
}
