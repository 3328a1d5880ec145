// pars.yaml: which store the hook commands send to, how long and how much may wait, and what is known of each VM.
//
// Every key is known or refused; an error names the key and its line. Paths are absolute, since hooks are started from
// any folder.
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { ParsError } from '../../introspect/pars-error.js';
import { messageOf } from '../flow/message-of.js';
import { readOwnFile } from '../host/own-file.js';
import { vmNameForm, vmNameProblem } from '../manifest/vm-name.js';
import { type CodecChoice, codecForm, parseCodecChoice } from '../pack/codec/codec-choice.js';
import { lastingKinds } from '../store/kinds.js';
import { eitherOf } from '../text/either-of.js';
import { durationForm, parseDuration } from '../units/duration.js';
import { parseSize } from '../vm/qemu/size.js';
import { vmIdForm, vmIdPattern } from '../vm/vm-identity.js';
import { logLevels } from './observe/log.js';

export const defaultConfigPath = '/etc/pars/pars.yaml';
export const configVariable = 'PARS_CONFIG';

const textTo = <T>(parse: (text: string) => T | undefined, form: string) =>
  z.string({ error: `expected ${form}` }).transform((text, context): T => {
    const value = parse(text);
    if (value === undefined) {
      context.addIssue({
        code: 'custom',
        message: `expected ${form}, found ${JSON.stringify(text)}`,
      });
      return z.NEVER;
    }
    return value;
  });

const durationMs = textTo(positive(parseDuration), durationForm);
/** A timer of Node's takes no more, and would end at once. */
const waitMs = durationMs.refine((ms) => ms < 2 ** 31, 'expected 24d or less');
const sizeBytes = textTo(positive(parseSize), 'a size such as 800M or 20G');
const bytesPerSecond = textTo(positive(parseSize), 'bytes per second such as 50M');
const absolutePath = z
  .string({ error: 'expected an absolute path' })
  .refine(isAbsolute, 'expected an absolute path')
  .refine((path) => !path.includes('\0'), 'expected a path without a NUL character');
const storePrefixes = lastingKinds.flatMap(({ schemes }) => schemes.map((name) => `${name}://`));
const storeUrl = z
  .string({ error: 'expected the URL of a store' })
  .refine(
    (url) => storePrefixes.some((prefix) => url.startsWith(prefix)),
    `expected a URL that begins with ${eitherOf(storePrefixes)}`,
  );
/** A name of src/plan/policy.ts, or a file. */
const policy = z
  .string({ error: 'expected strict, disk, lean, or the absolute path of a policy file' })
  .refine(
    (text) => ['strict', 'disk', 'lean'].includes(text) || isAbsolute(text),
    'expected strict, disk, lean, or the absolute path of a policy file',
  );
const codec = textTo(parseCodecChoice, codecForm);
const keepCount = z
  .int({ error: 'expected a whole number of snapshots' })
  .min(1, 'expected at least 1');

const retentionSchema = z
  .strictObject({
    keepLast: keepCount,
    keepHourly: keepCount,
    keepDaily: keepCount,
    keepWeekly: keepCount,
    keepMonthly: keepCount,
  })
  .partial()
  .refine((rule) => Object.keys(rule).length > 0, 'expected a rule such as keepDaily: 7');

const configSchema = z.strictObject({
  store: storeUrl,
  policy: policy.default('strict'),
  spool: z
    .strictObject({
      path: absolutePath.default('/var/spool/pars'),
      maxSize: sizeBytes.optional(),
      maxAge: durationMs.optional(),
    })
    .prefault({}),
  upload: z
    .strictObject({
      timeout: waitMs.prefault('6h'),
      bandwidth: bytesPerSecond.optional(),
      codec: codec.prefault('auto'),
    })
    .prefault({}),
  capture: z
    .strictObject({
      maxDowntime: durationMs.optional(),
      bandwidth: bytesPerSecond.optional(),
      withDisks: z.boolean({ error: 'expected true or false' }).default(true),
    })
    .prefault({}),
  retention: retentionSchema.optional(),
  metrics: z.strictObject({ textfile: absolutePath.optional() }).prefault({}),
  vms: z
    .record(
      z
        .string()
        .refine(
          (name) => vmNameProblem(name) === undefined,
          `expected the name of a VM: ${vmNameForm}`,
        ),
      z.strictObject({
        qmp: absolutePath.optional(),
        machine: absolutePath.optional(),
        id: z
          .string({ error: `expected ${vmIdForm}` })
          .regex(vmIdPattern, `expected ${vmIdForm}`)
          .optional(),
        policy: policy.optional(),
        disks: z.boolean({ error: 'expected true or false' }).optional(),
      }),
    )
    .default({}),
  libvirt: z
    .strictObject({
      uri: z.string({ error: 'expected a libvirt URI' }).min(1).default('qemu:///system'),
      disks: z.boolean({ error: 'expected true or false' }).default(true),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(logLevels, { error: `expected one of ${logLevels.join(', ')}` })
        .default('info'),
    })
    .prefault({}),
});

export type RetentionRule = Readonly<z.infer<typeof retentionSchema>>;

export interface VmConfig {
  readonly qmp?: string | undefined;
  readonly machine?: string | undefined;
  /** What tells it from other VMs of its name, on whatever host it is. */
  readonly id?: string | undefined;
  readonly policy?: string | undefined;
  readonly disks?: boolean | undefined;
}

/** Defaults filled in. */
export interface HookConfig {
  /** The file it was read from. */
  readonly path: string;
  readonly store: string;
  readonly policy: string;
  readonly spool: {
    readonly path: string;
    readonly maxSizeBytes: number | undefined;
    readonly maxAgeMs: number | undefined;
  };
  readonly upload: {
    readonly timeoutMs: number;
    readonly bandwidthBytesPerSecond: number | undefined;
    readonly codec: CodecChoice;
  };
  readonly capture: {
    readonly maxDowntimeMs: number | undefined;
    readonly bandwidthBytesPerSecond: number | undefined;
    readonly withDisks: boolean;
  };
  readonly retention: RetentionRule | undefined;
  readonly metrics: { readonly textfilePath: string | undefined };
  readonly vms: Readonly<Record<string, VmConfig>>;
  readonly libvirt: { readonly uri: string; readonly disks: boolean };
  readonly log: { readonly level: (typeof logLevels)[number] };
}

/** `path`: what the command line says; else the environment's, else the default. Throws `usage`. */
export async function readConfig(
  path: string = process.env[configVariable] ?? defaultConfigPath,
): Promise<HookConfig> {
  const config = parseConfig(readOwn(path, path), path);
  const policies = [config.policy, ...Object.values(config.vms).map((vm) => vm.policy)];
  for (const policyPath of policies) {
    if (policyPath !== undefined && isAbsolute(policyPath) && existsSync(policyPath)) {
      readOwn(policyPath, path);
    }
  }
  return await Promise.resolve(config);
}

/** Reads a file that nobody else could have changed: it says what root uploads, where to, and what is deleted there. */
function readOwn(filePath: string, configPath: string): string {
  try {
    return readOwnFile(resolve(filePath), {
      what: filePath === configPath ? 'the configuration' : 'the policy',
      remedy: `name another with --config FILE or in ${configVariable}`,
    });
  } catch (error) {
    throw new ParsError(
      'usage',
      `cannot read the configuration ${configPath}: ${messageOf(error)}; name another with --config FILE or in ${configVariable}`,
      { cause: error },
    );
  }
}

/** Throws `usage` with every problem, each with its line. */
export function parseConfig(text: string, path: string): HookConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    throw wrong(
      path,
      problems.map(({ message, pos }) => ({ line: lines.linePos(pos[0]).line, message })),
    );
  }
  let content: unknown;
  try {
    // An empty file is an empty map, so that it is told which key is missing.
    content = document.toJS() ?? {};
  } catch (error) {
    throw wrong(path, [{ line: 1, message: messageOf(error) }]);
  }
  const parsed = configSchema.safeParse(content);
  if (!parsed.success) {
    throw wrong(
      path,
      parsed.error.issues.flatMap((issue) => problemsOf(issue, document, lines)),
    );
  }
  const { spool, upload, capture, metrics, ...rest } = parsed.data;
  return {
    path,
    store: rest.store,
    policy: rest.policy,
    spool: { path: spool.path, maxSizeBytes: spool.maxSize, maxAgeMs: spool.maxAge },
    upload: {
      timeoutMs: upload.timeout,
      bandwidthBytesPerSecond: upload.bandwidth,
      codec: upload.codec,
    },
    capture: {
      maxDowntimeMs: capture.maxDowntime,
      bandwidthBytesPerSecond: capture.bandwidth,
      withDisks: capture.withDisks,
    },
    retention: rest.retention,
    metrics: { textfilePath: metrics.textfile },
    vms: rest.vms,
    libvirt: rest.libvirt,
    log: rest.log,
  };
}

interface Problem {
  readonly line: number;
  readonly message: string;
}

function problemsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): Problem[] {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: lineOf(document, lines, [...issue.path, key]),
      message: `${[...issue.path, key].join('.')}: this key is not known`,
    }));
  }
  if (issue.code === 'invalid_key') {
    return [
      {
        line: lineOf(document, lines, issue.path),
        message: `${where}: ${issue.issues.map(({ message }) => message).join('; ')}`,
      },
    ];
  }
  return [
    {
      line: lineOf(document, lines, issue.path),
      message: where === '' ? issue.message : `${where}: ${issue.message}`,
    },
  ];
}

/** The line of the key at `path`, from 1; where there is none, that of the nearest map that should have it. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0] ?? 0;
  for (const name of path) {
    if (!isMap(node)) {
      break;
    }
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
    if (pair === undefined) {
      break;
    }
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return lines.linePos(offset).line;
}

function wrong(path: string, problems: readonly Problem[]): ParsError {
  const sentences = problems
    .toSorted((a, b) => a.line - b.line)
    .map(({ line, message }) => `line ${line}: ${message}`);
  return new ParsError('usage', `the configuration ${path}: ${sentences.join('; ')}`);
}

/** No limit is ever nothing. */
function positive(parse: (text: string) => number | undefined) {
  return (text: string): number | undefined => {
    const value = parse(text);
    return value !== undefined && value > 0 ? value : undefined;
  };
}
