// The metrics as Prometheus would read them: parsed back by the rules of the text format.
import {
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { HookMetrics } from '../../../src/hook/observe/metrics.js';
import { type MetricFamily, metricsText } from '../../../src/hook/observe/metrics-text.js';
import { makeFolderOfOther, otherUser, testAsRoot } from '../../host/other-user.js';
import { HookPlace } from '../hook-place.js';

interface ParsedFamily {
  readonly kind: string;
  readonly help: string;
  readonly samples: { readonly vm: string | undefined; readonly value: number }[];
}

/** After prometheus.io/docs/instrumenting/exposition_formats; throws at any other line. */
function parsed(text: string): ReadonlyMap<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const helps = new Map<string, string>();
  expect(text === '' || text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line);
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{vm="((?:[^"\\\n]|\\["\\n])*)"\})? (\S+)$/s.exec(
      line,
    );
    if (help) {
      helps.set(help[1], unescaped(help[2]));
    } else if (type) {
      expect(families.has(type[1])).toBe(false);
      families.set(type[1], { kind: type[2], help: helps.get(type[1]) ?? '', samples: [] });
    } else if (sample) {
      const vm = sample.at(2);
      const value = Number(sample[3].replace('Inf', 'Infinity'));
      // A sample stands below its own family, the last one named.
      expect([...families.keys()].at(-1)).toBe(sample[1]);
      families
        .get(sample[1])
        ?.samples.push({ vm: vm === undefined ? undefined : unescaped(vm), value });
    } else {
      throw new Error(`no line of the format: ${JSON.stringify(line)}`);
    }
  }
  return families;
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));

test('what is written reads back, whatever is in a label', () => {
  const samples = fc.array(fc.record({ vm: fc.string({ unit: 'binary' }), value: fc.double() }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.string(), samples, (help, values) => {
      const family: MetricFamily = { name: 'pars_x_total', help, kind: 'counter', samples: values };
      const back = parsed(metricsText([family])).get('pars_x_total');
      expect(back?.help).toBe(help);
      expect(back?.samples.map(({ vm }) => vm)).toEqual(values.map(({ vm }) => vm));
      // -0 is written as 0.
      expect(back?.samples.map(({ value }) => value + 0)).toEqual(
        values.map(({ value }) => value + 0),
      );
    }),
  );
});

describe('the hook', () => {
  let place: HookPlace;
  beforeEach(async () => {
    place = await HookPlace.make();
  });
  afterEach(() => place.remove());

  test('counts over runs, and writes what each family says', async () => {
    const first = await place.context();
    await first.metrics.failed('web');
    await first.metrics.dropped('web');
    const second = await place.context();
    await second.metrics.failed('web');
    await second.metrics.stored('db', { sizeBytes: 300, savingRatio: 0.5, durationMs: 1500 });
    await second.metrics.write();
    const families = parsed(place.metrics());
    const valueOf = (name: string, vm?: string): number | undefined =>
      families.get(name)?.samples.find((sample) => sample.vm === vm)?.value;
    expect(valueOf('pars_uploads_failed_total', 'web')).toBe(2);
    expect(valueOf('pars_uploads_failed_total', 'db')).toBe(0);
    expect(valueOf('pars_spool_dropped_total', 'web')).toBe(1);
    expect(valueOf('pars_last_upload_bytes', 'db')).toBe(300);
    expect(valueOf('pars_last_upload_bytes', 'web')).toBeUndefined();
    expect(valueOf('pars_last_saving_ratio', 'db')).toBe(0.5);
    expect(valueOf('pars_last_upload_duration_seconds', 'db')).toBe(1.5);
    expect(valueOf('pars_last_success_timestamp_seconds', 'db')).toBeCloseTo(Date.now() / 1000, -2);
    expect(valueOf('pars_spool_entries')).toBe(0);
    expect(valueOf('pars_spool_bytes')).toBe(0);
    expect(valueOf('pars_spool_oldest_age_seconds')).toBe(0);
    expect(families.get('pars_spool_entries')?.kind).toBe('gauge');
    expect(families.get('pars_uploads_failed_total')?.kind).toBe('counter');
  });
});

test('a link in the way of the metrics is replaced, never written through', async () => {
  const place = await HookPlace.make();
  try {
    const hook = await place.context();
    const victim = join(place.folder, 'victim');
    writeFileSync(victim, 'of root');
    symlinkSync(victim, `${place.textfile}.part`);
    symlinkSync(victim, place.textfile);
    const umask = process.umask(0o077);
    await hook.metrics.write().finally(() => process.umask(umask));
    expect(readFileSync(victim, 'utf8')).toBe('of root');
    expect(lstatSync(place.textfile).isFile()).toBe(true);
    expect(statSync(place.textfile).mode & 0o777).toBe(0o644);
    expect(place.metrics()).toContain('pars_spool_entries 0');
  } finally {
    await place.remove();
  }
});

testAsRoot(
  "a collector's own folder takes the metrics, a link of his to another does not",
  async () => {
    const place = await HookPlace.make();
    try {
      const his = makeFolderOfOther(join(place.folder, 'his'));
      const hook = await place.context();
      const elsewhere = join(place.folder, 'elsewhere');
      mkdirSync(elsewhere);
      symlinkSync(elsewhere, join(his, 'link'));
      lchownSync(join(his, 'link'), otherUser, otherUser);
      await new HookMetrics(hook.spool, join(his, 'pars.prom'), hook.log).write();
      await new HookMetrics(hook.spool, join(his, 'link', 'pars.prom'), hook.log).write();
      expect(readdirSync(his).toSorted()).toEqual(['link', 'pars.prom']);
      expect(readdirSync(elsewhere)).toEqual([]);
      expect(hook.logLines.join('')).toContain('symbolic link');
    } finally {
      await place.remove();
    }
  },
);
