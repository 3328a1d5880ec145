// The value of a QEMU option taken apart: `key=value,...` with commas in values doubled, or JSON.
//
//   -object memory-backend-file,id=ram0,mem-path=/a,,b      ['', 'memory-backend-file'] ['id', 'ram0'] ['mem-path', '/a,b']
//   -blockdev {"driver":"raw","file":{"filename":"/a"}}     ['driver', 'raw'] ['file.filename', '/a']
//
// JSON's nested members have dotted keys, as the other form writes them.

import { parsePeerJson } from '../../../introspect/peer-json.js';

export interface Setting {
  /** Empty for the first word of an option, whose key is understood, and for old short forms of `key=on`. */
  readonly key: string;
  readonly value: string;
}

export function settingsOf(text: string): readonly Setting[] {
  const settings: Setting[] = [];
  mapSettings(text, (setting) => {
    settings.push(setting);
    return setting.value;
  });
  return settings;
}

/** As QEMU does, the last of several. */
export function settingOf(text: string, key: string): string | undefined {
  return settingsOf(text).findLast((setting) => setting.key === key)?.value;
}

export function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(on|yes|true|y)$/.test(value);
}

/** The text with other values. When `change` changes none, the same text to the byte. */
export function mapSettings(text: string, change: (setting: Setting) => string): string {
  const json = jsonOf(text);
  if (json === undefined) {
    return mapList(text, change);
  }
  const before = JSON.stringify(json);
  const after = JSON.stringify(mapJson(json, '', change));
  return after === before ? text : after;
}

function mapList(text: string, change: (setting: Setting) => string): string {
  return partsOf(text)
    .map((part) => {
      const end = part.indexOf('=');
      const key = end === -1 ? '' : part.slice(0, end);
      const value = change({ key, value: part.slice(end + 1) });
      return (end === -1 ? value : `${key}=${value}`).replaceAll(',', ',,');
    })
    .join(',');
}

/** Split at single commas; double ones become single. No word of a command line holds a NUL. */
function partsOf(text: string): readonly string[] {
  return text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));
}

function jsonOf(text: string): object | undefined {
  if (!text.startsWith('{')) {
    return undefined;
  }
  try {
    return parsePeerJson(text) as object;
  } catch {
    return undefined;
  }
}

function mapJson(value: unknown, key: string, change: (setting: Setting) => string): unknown {
  if (typeof value === 'object' && value !== null) {
    const within = (name: string): string => (key === '' ? name : `${key}.${name}`);
    return Array.isArray(value)
      ? value.map((item, index) => mapJson(item, within(String(index)), change))
      : Object.fromEntries(
          Object.entries(value).map(([name, member]) => [
            name,
            mapJson(member, within(name), change),
          ]),
        );
  }
  const before = String(value);
  const after = change({ key, value: before });
  return after === before ? value : after;
}
