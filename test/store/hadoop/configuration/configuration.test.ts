// What Hadoop's configuration says, by Hadoop's own rules.

import { Configuration } from '../../../../src/store/hadoop/configuration/configuration.js';

function configurationOf(
  values: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Configuration {
  const properties = Object.entries(values).map(([name, value]) => {
    return { kind: 'property', name, value, isFinal: false, file: '/conf/hdfs-site.xml' } as const;
  });
  return new Configuration('/conf', properties, environment);
}

test.each([
  ['a ${b} c', 'a 1 c'],
  ['${b}${b}', '11'],
  ['${n${b}}', 'one'],
  ['${env.HOST}:8020', 'here:8020'],
  ['${env.NONE-other}', 'other'],
  ['${env.EMPTY-other}.', '.'],
  ['${env.EMPTY:-other}', 'other'],
  [' spaces around ', 'spaces around'],
  ['$b {b} ${b c}', '$b {b} ${b c}'],
])("'%s' is '%s'", (value, expected) => {
  const environment = { HOST: 'here', EMPTY: '' };
  expect(configurationOf({ value, b: '1', n1: 'one' }, environment).text('value')).toBe(expected);
});

test.each([
  ['${none}', 'expected a value for ${none}, found none'],
  ['${env.NONE}', 'expected a value for ${env.NONE}, found none'],
  ['${value}', 'without an end'],
  ['${a}', 'without an end'],
  ['${long}${long}', 'without an end'],
])("'%s' is refused with its property and file", (value, words) => {
  const long = 'x'.repeat(2 ** 20 - 10);
  const configuration = configurationOf({ value, a: '${b}', b: '${a}', long });
  const refused = expect.objectContaining({
    code: 'usage',
    message: expect.stringContaining('value in /conf/hdfs-site.xml: ') as string,
  }) as Error;
  expect(() => configuration.text('value')).toThrow(refused);
  expect(() => configuration.text('value')).toThrow(words);
});

test('what is not set, and what is empty, is nothing', () => {
  const configuration = configurationOf({ empty: ' ' });
  expect(configuration.text('empty')).toBeUndefined();
  expect(configuration.text('none')).toBeUndefined();
  expect(configuration.list('none')).toEqual([]);
  expect(configuration.flag('none', true)).toBe(true);
});

test('lists and flags', () => {
  const configuration = configurationOf({ list: ' a ,, b,', yes: 'TRUE', no: 'false', odd: 'yes' });
  expect(configuration.list('list')).toEqual(['a', 'b']);
  expect(configuration.flag('yes', false)).toBe(true);
  expect(configuration.flag('no', true)).toBe(false);
  expect(() => configuration.flag('odd', true)).toThrow("expected true or false, found 'yes'");
});

test('the last counts, unless one before is final; a property is known by its old name', () => {
  const property = (name: string, value: string, isFinal = false) =>
    ({ kind: 'property', name, value, isFinal, file: '/conf/core-site.xml' }) as const;
  const configuration = new Configuration('/conf', [
    property('a', '1'),
    property('a', '2'),
    property('b', '1', true),
    property('b', '2'),
    property('fs.default.name', 'hdfs://old'),
  ]);
  expect(configuration.text('a')).toBe('2');
  expect(configuration.text('b')).toBe('1');
  expect(configuration.text('fs.defaultFS')).toBe('hdfs://old');
});
