// --store takes what a snapshot can be kept in, and its help names no other.
import { Command } from 'commander';
import { storeOption } from '../../../../src/cli/shared/options/store-option.js';

interface Parsed {
  readonly store: string | undefined;
  readonly refusal: string;
}

function parse(args: readonly string[], environment?: string): Parsed {
  const refusals: string[] = [];
  const command = new Command('pars')
    .addOption(storeOption())
    .configureOutput({ writeErr: (text) => refusals.push(text) })
    .exitOverride();
  const before = process.env['PARS_STORE'];
  if (environment !== undefined) {
    process.env['PARS_STORE'] = environment;
  }
  try {
    command.parse(args, { from: 'user' });
  } catch {
    // What it said is kept.
  } finally {
    if (before === undefined) {
      delete process.env['PARS_STORE'];
    } else {
      process.env['PARS_STORE'] = before;
    }
  }
  return { store: command.opts<{ store?: string }>().store, refusal: refusals.join('') };
}

test.each(['file:///srv/pars', 'webhdfs://a,b/pars', 'no-such-kind:a', ''])(
  '%j is handed to the command as it is',
  (url) => {
    expect(parse(['--store', url])).toEqual({ store: url, refusal: '' });
  },
);

test.each([
  ['an option', ['--store', 'memory:a'], undefined],
  ['the environment', [], 'memory:a'],
] as const)('a store that ends with the command is refused as %s', (_, args, environment) => {
  const { refusal } = parse(args, environment);
  expect(refusal).toMatch(/gone when the command ends.*Expected file:\/\/\/dir, webhdfs:/);
});

test('help has the forms of all kinds that last, after what the store is for', () => {
  const forms = 'file:///dir, webhdfs://host:port/path, swebhdfs://... or hdfs://host:port/path';
  expect(storeOption().description).toBe(forms);
  expect(storeOption('where snapshots are').description).toBe(`where snapshots are: ${forms}`);
});
