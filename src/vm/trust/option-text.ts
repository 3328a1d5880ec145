// Whether QEMU reads the text of an option as it is read here. Where the two could differ, what was judged is not what runs,
// so such a text is not known.
import { parsePeerJson } from '../../../introspect/peer-json.js';
import { bashQuote } from '../qemu/bash-quote.js';
import { type Setting, settingsOf } from '../qemu/option-value.js';

/** All others take a brace for the first letter of a list. (QEMU qemu-options.hx) */
const jsonOptions: ReadonlySet<string> = new Set([
  ...['object', 'blockdev', 'device', 'netdev', 'display', 'audiodev', 'compat'],
]);
const plainKey = /^[A-Za-z][\w.-]*$/;
/** `-cpu` adds and takes away features by their sign. */
const featureKey = /^[+-]?[A-Za-z][\w.-]*$/;
const listSetting = /^\s*[A-Za-z][\w.-]*=/;

/** A word without a value is `word=on`, but for the first. */
export function namedSettings(text: string): readonly Setting[] {
  return settingsOf(text).map(({ key, value }, index) =>
    key === '' && index > 0 ? { key: value, value: 'on' } : { key, value },
  );
}

/** Empty when it is read here as QEMU does. */
export function whyUnreadable(name: string, text: string): string {
  if (/^\s*\{/.test(text)) {
    return whyNoJson(name, text);
  }
  if (/(?:^|,)=/.test(text.replaceAll(',,', ''))) {
    return 'it has a value without a key';
  }
  const keyPattern = name === 'cpu' ? featureKey : plainKey;
  const odd = namedSettings(text).find(
    ({ key }, index) => !keyPattern.test(key) && !(index === 0 && key === ''),
  );
  return odd === undefined ? '' : `${bashQuote(odd.key)} is no key`;
}

function whyNoJson(name: string, text: string): string {
  if (!jsonOptions.has(name)) {
    return `QEMU does not take JSON for -${name}, and reads other settings out of it`;
  }
  if (!isStrictJson(text)) {
    return 'it begins as JSON and is none, and QEMU may read it all the same';
  }
  // Releases that did not take JSON for the option yet split it at commas.
  if (name !== 'blockdev' && text.split(',').some((part) => listSetting.test(part))) {
    return 'older releases of QEMU read other settings out of this JSON';
  }
  const odd = settingsOf(text).find(({ key }) => !plainKey.test(key));
  return odd === undefined ? '' : `${bashQuote(odd.key)} is no key`;
}

function isStrictJson(text: string): boolean {
  try {
    parsePeerJson(text);
    return text.startsWith('{');
  } catch {
    return false;
  }
}
