// Asks the file system's own tool where files lie on a disk image. The tool reads what a guest wrote, so nothing it says
// is trusted: an answer is only a place to compare, and it may be slow, endless or none.
//
// The image is handed over as an open descriptor, so its path, whatever characters it has, is never parsed.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DiskImage } from './disk-image.js';
import { type Bound, proofBounds } from './proof-budget.js';

/** The image in a tool's arguments. */
export const imagePath = '/dev/fd/3';

/** A tool that was killed and does not end (its disk does not answer) is waited for no longer. */
const killTimeoutMs = 5000;
/** A damaged file system may ask its tool for any amount of memory. */
const memoryLimitKib = 2 ** 21;
/** What a shell says where there is no such program. */
const missingStatus = 127;
/** A line is a file's whole list of blocks at most; that of a file in 100,000 pieces has 3 MiB. */
const lineLimit = 2 ** 24;
/** How much of a tool's complaints is kept for the message. */
const complaintLimit = 4096;

export interface ToolRun {
  readonly program: string;
  /** What to install where it is missing. */
  readonly packageName: string;
  readonly programArguments: readonly string[];
  readonly image: DiskImage;
  /** Commands, each with its line end. */
  readonly input: Iterable<string>;
  readonly onLine: (line: string) => void;
  /** What the run may take: it is ended when it takes more. By default, the bound of one run. */
  readonly bound?: Bound | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ToolEnd {
  /** What it took of its bound. */
  readonly took: Bound;
  /** Undefined where the tool ran to its end. */
  readonly problem: string | undefined;
  /** The first of its complaints. */
  readonly complaint: string | undefined;
}

/** Throws the signal's reason when that ends it, and nothing else. */
export async function runTool(run: ToolRun): Promise<ToolEnd> {
  const { program, programArguments, image, signal, bound = proofBounds.run } = run;
  signal?.throwIfAborted();
  const startMs = performance.now();
  // The shell bounds its memory and becomes it.
  const limited = `ulimit -v ${memoryLimitKib} 2>/dev/null; exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', limited, program, ...programArguments], {
    stdio: ['pipe', 'pipe', 'pipe', image.fd],
    env: {
      // Debian keeps them in /sbin, which is not on the path of ordinary users.
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      LC_ALL: 'C',
      // debugfs would otherwise start one for every command.
      DEBUGFS_PAGER: '__none__',
      PAGER: '__none__',
    },
    // The types know nothing of a fourth descriptor.
  }) as ChildProcessByStdio<Writable, Readable, Readable>;
  let problem: string | undefined;
  let complaints = '';
  let sizeBytes = 0;
  let giveUp = (): void => undefined;
  const stop = (reason: string): void => {
    problem ??= reason;
    child.kill('SIGKILL');
    // Otherwise whoever it started would be waited for.
    child.stdout.destroy();
    child.stderr.destroy();
    child.stdin.destroy();
    setTimeout(() => {
      giveUp();
    }, killTimeoutMs).unref();
  };
  const onAbort = (): void => {
    stop('it was stopped');
  };
  const timeout = setTimeout(() => {
    stop(`${program} was ended after ${(bound.timeMs / 1000).toFixed(1)} s, the most it may take`);
  }, bound.timeMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const ended = new Promise<void>((resolve) => {
      giveUp = resolve;
      child.on('error', (error) => {
        problem ??= `${program} did not start: ${error.message}`;
        resolve();
      });
      child.on('close', (status) => {
        if (status === missingStatus) {
          problem ??= `${program} is not installed (package ${run.packageName})`;
        } else if (status !== 0) {
          const complaint = firstComplaint(complaints, run);
          problem ??= complaint ?? `${program} ended with status ${String(status)}`;
        }
        resolve();
      });
    });
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      complaints = (complaints + text).slice(0, complaintLimit);
    });
    const lines = new LineSplitter(run.onLine, () => {
      stop(`${program} wrote a line of more than ${lineLimit} bytes`);
    });
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      sizeBytes += text.length;
      if (sizeBytes > bound.sizeBytes) {
        stop(
          `${program} was ended after ${bound.sizeBytes} bytes of answers, the most it may give`,
        );
        return;
      }
      lines.add(text);
    });
    // A tool that ends early does not hear the rest; its status says so.
    await Promise.all([
      ended,
      pipeline(Readable.from(run.input), child.stdin).catch(() => undefined),
    ]);
    lines.end();
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener('abort', onAbort);
  }
  signal?.throwIfAborted();
  const took = { timeMs: performance.now() - startMs, sizeBytes };
  return { took, problem, complaint: firstComplaint(complaints, run) };
}

/** The first line that is not the tool's own name and version. */
function firstComplaint(complaints: string, { program, image }: ToolRun): string | undefined {
  const line = complaints
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '' && !new RegExp(`^${program} \\d`).test(text));
  return line?.replaceAll(imagePath, image.path);
}

class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #rest = '';
  #isTooLong = false;

  constructor(onLine: (line: string) => void, onTooLong: () => void) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  add(text: string): void {
    if (this.#isTooLong) {
      return;
    }
    const lines = text.split('\n');
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#onLine(line);
    }
    if (this.#rest.length > lineLimit) {
      this.#isTooLong = true;
      this.#rest = '';
      this.#onTooLong();
    }
  }

  end(): void {
    if (this.#rest !== '') {
      this.#onLine(this.#rest);
    }
  }
}
