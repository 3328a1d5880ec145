// Which parts of a QEMU command line could cost the host something, by the table in option-rules.ts. A part without a finding
// is known to be harmless; doubt is a finding.
import { bashQuote } from '../qemu/bash-quote.js';
import type { Setting } from '../qemu/option-value.js';
import { optionWords, type QemuCommand, type QemuOption } from '../qemu/qemu-command.js';
import { hostProperty, refusalOfDevice } from './device-rules.js';
import type { AllowedPaths, Finding } from './effects.js';
import { formatProblems } from './image-formats.js';
import { judgeCharacter, monitorProblems } from './judge-character.js';
import { judgeImageSettings } from './judge-images.js';
import { isPathLike, type Judged, judgePath } from './judge-path.js';
import { optionRules, type Refusal, type SettingsRule } from './option-rules.js';
import { namedSettings, whyUnreadable } from './option-text.js';
import { isQemuProgram } from './safe-files.js';

/** Shown of one option. */
const maxPartLength = 300;

const settingsForms: ReadonlySet<string> = new Set([
  ...['settings', 'drive', 'node', 'device', 'global'],
]);

const commandsQemu: Judged = {
  effect: 'listens',
  why: 'whoever writes to this character device commands QEMU, and by it runs programs of the host',
};

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
  const ofMonitors = monitorProblems(options, allowed);
  return unique([
    ...findings,
    ...options.flatMap((option) => {
      const part = shown(optionWords(option).map(bashQuote).join(' '));
      const why = ofFormats.get(option);
      return [
        ...judgeOption(option, allowed),
        ...(why === undefined ? [] : [{ effect: 'opens' as const, why }]),
        ...(ofMonitors.has(option) ? [commandsQemu] : []),
      ].map((judged) => ({ part, ...judged }));
    }),
  ]);
}

function judgeOption({ name, value = '' }: QemuOption, allowed: AllowedPaths): readonly Judged[] {
  const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined;
  const why = rule !== undefined && settingsForms.has(rule.form) ? whyUnreadable(name, value) : '';
  if (why !== '') {
    return [{ effect: 'unknown', why }];
  }
  switch (rule?.form) {
    case undefined:
      return [{ effect: 'unknown' }];
    case 'harmless':
      return [];
    case 'refused':
      return [rule.refusal];
    case 'path':
      return judgePath(value, allowed, rule.use);
    case 'settings':
      return judgeSettings(namedSettings(value), rule, allowed);
    case 'character':
      return judgeCharacter(value, allowed, rule.commandsQemu === true);
    case 'image':
      return judgePath(value, allowed, 'image');
    case 'drive':
    case 'node':
      return judgeImageSettings(namedSettings(value), rule.form === 'drive', allowed);
    case 'device':
      return judgeDevice(namedSettings(value), allowed);
    case 'global':
      return judgeGlobal(value, allowed);
  }
}

function judgeSettings(
  settings: readonly Setting[],
  rule: SettingsRule,
  allowed: AllowedPaths,
): readonly Judged[] {
  const missing = rule.pathNeededBy;
  const needsPath =
    missing !== undefined &&
    settings.some(({ value }) => value === missing.kind) &&
    (settings.findLast(({ key }) => key === 'path')?.value ?? '') === '';
  const found = settings.flatMap(({ key, value }): readonly Judged[] => {
    // JSON's lists have numbers in their keys.
    const head = key.split('.', 1)[0];
    if (rule.kinds !== undefined && rule.kindKeys?.includes(key) === true) {
      return judgeKind(value, rule);
    }
    if (rule.refused !== undefined && Object.hasOwn(rule.refused, head)) {
      return isNone(key, value) ? [] : [rule.refused[head]];
    }
    if (rule.keys?.test(key) === false && !rule.keys.test(head)) {
      return [{ effect: 'unknown', why: `${bashQuote(key)} is not known here` }];
    }
    if (rule.texts?.test(key) === true) {
      return [];
    }
    return rule.paths?.test(key) === true || rule.paths?.test(head) === true || isPathLike(value)
      ? judgePath(value, allowed, key === 'mem-path' ? 'memory' : 'other')
      : [];
  });
  return needsPath ? [...found, missing.refusal] : found;
}

/** Whether the value means that there is none. With other keys, such as `smb`, these words are names of files. */
function isNone(key: string, value: string): boolean {
  return (
    (/^(?:script|downscript)$/.test(key) && value === 'no') ||
    (key === 'abstract' && value === 'off')
  );
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
  return hostProperty.test(key) || isPathLike(value) ? judgePath(value, allowed, 'read') : [];
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
