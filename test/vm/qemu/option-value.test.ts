import * as fc from 'fast-check';
import { isOn, mapSettings, settingOf, settingsOf } from '../../../src/vm/qemu/option-value.js';

test('a list has keys and values, with double commas made single', () => {
  expect(settingsOf('memory-backend-file,id=ram0,mem-path=/a,,b=c,share=on')).toEqual([
    { key: '', value: 'memory-backend-file' },
    { key: 'id', value: 'ram0' },
    { key: 'mem-path', value: '/a,b=c' },
    { key: 'share', value: 'on' },
  ]);
});

test('JSON has the same keys as the dotted form of a list', () => {
  const json = '{"driver":"raw","read-only":true,"file":{"filename":"/a"},"list":[{"n":1}]}';
  expect(settingsOf(json)).toEqual([
    { key: 'driver', value: 'raw' },
    { key: 'read-only', value: 'true' },
    { key: 'file.filename', value: '/a' },
    { key: 'list.0.n', value: '1' },
  ]);
});

test('the last of several settings counts', () => {
  expect(settingOf('a=1,a=2', 'a')).toBe('2');
  expect(settingOf('a=1', 'b')).toBeUndefined();
  expect(['on', 'yes', 'true', 'y', 'off', '', undefined].map(isOn)).toEqual([
    ...[true, true, true, true, false, false, false],
  ]);
});

test('text that nothing is changed in stays as it is', () => {
  const pieces = fc.constantFrom(',', ',,', '=', 'a', '{', '}', '"', ' ', '{"a" : 1e2}');
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      const text = parts.join('');
      expect(mapSettings(text, ({ value }) => value)).toBe(text);
    }),
  );
});

test('any value can be set and is read back, in both forms', () => {
  const values = fc
    .string({ unit: fc.constantFrom(',', '=', '"', '{', '\n', ' ', '/', 'ä', '\\') })
    .filter((value) => value !== 'old');
  fc.assert(
    fc.property(values, (value) => {
      for (const text of ['x,b=1,key=old,c=2', '{"b":1,"key":"old","c":[2]}']) {
        const changed = mapSettings(text, (setting) =>
          setting.key === 'key' ? value : setting.value,
        );
        expect(settingOf(changed, 'key')).toBe(value);
        expect(settingsOf(changed).map(({ key }) => key)).toEqual(
          settingsOf(text).map(({ key }) => key),
        );
      }
    }),
  );
});
