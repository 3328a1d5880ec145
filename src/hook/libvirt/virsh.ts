// libvirt, asked through virsh: each question with a time limit, so that a daemon that hangs holds up nobody for ever.
import { ParsError } from '../../../introspect/pars-error.js';
import { describeEnd, runProgram } from '../run-program.js';

/** For what libvirt answers from memory, or does in a moment. */
const answerTimeoutMs = 60_000;
/** Memory of a large, busy VM to a slow disk. */
const saveTimeoutMs = 3_600_000;
/** What the VM wrote while its disks were copied, back to where it belongs. */
const commitTimeoutMs = 6 * 3_600_000;
/** virsh gives up first, and tells libvirt to. */
const marginMs = 60_000;
/** What a shell and nice(1) exit with where there is no such program. */
const notFoundExitCode = 127;

export interface ExternalDisk {
  readonly target: string;
  /** Undefined: it stays as it is. */
  readonly overlayPath: string | undefined;
}

export class Virsh {
  readonly #uri: string;
  readonly #domain: string;
  readonly #signal: AbortSignal;

  /** `signal` ends the snapshot; never what brings a VM back to how it was, nor the questions for that. */
  constructor(uri: string, domain: string, signal: AbortSignal) {
    this.#uri = uri;
    this.#domain = domain;
    this.#signal = signal;
  }

  async domainXml(): Promise<string> {
    return await this.#run('dumpxml', [], answerTimeoutMs, neverAborted());
  }

  /** With its reason: `running (booted)`, `paused (user)`, `shut off (saved)` ... */
  async state(): Promise<string> {
    return (await this.#run('domstate', ['--reason'], answerTimeoutMs, neverAborted())).trim();
  }

  /** Memory and disks of one moment. The VM runs on, on the overlays. */
  async createSnapshot(memoryPath: string, disks: readonly ExternalDisk[]): Promise<void> {
    const diskWords = disks.flatMap(({ target, overlayPath }) => [
      '--diskspec',
      overlayPath === undefined
        ? `${specValue(target)},snapshot=no`
        : `${specValue(target)},snapshot=external,file=${specValue(overlayPath)}`,
    ]);
    const memoryWords = ['--memspec', `file=${specValue(memoryPath)},snapshot=external`];
    await this.#run(
      'snapshot-create-as',
      ['--no-metadata', '--atomic', '--live', ...memoryWords, ...diskWords],
      saveTimeoutMs,
      this.#signal,
    );
  }

  /** The active overlay into the image right under it, which the VM goes on with. */
  async commitOverlay(target: string): Promise<void> {
    const timeLimit = ['--timeout', String((commitTimeoutMs - marginMs) / 1000)];
    await this.#run(
      'blockcommit',
      ['--path', target, '--active', '--shallow', '--pivot', '--wait', ...timeLimit],
      commitTimeoutMs,
      neverAborted(),
    );
  }

  /** Whether the disk is being copied or committed. */
  async hasBlockJob(target: string): Promise<boolean> {
    const words = ['--path', target, '--info', '--raw'];
    return (await this.#run('blockjob', words, answerTimeoutMs, neverAborted())).trim() !== '';
  }

  /** The VM goes on as if it had not begun. */
  async abortBlockJob(target: string): Promise<void> {
    await this.#run('blockjob', ['--path', target, '--abort'], answerTimeoutMs, neverAborted());
  }

  /** Whether libvirt does something to the whole VM, such as saving its memory. */
  async hasJob(): Promise<boolean> {
    const text = await this.#run('domjobinfo', [], answerTimeoutMs, neverAborted());
    return !/^Job type:\s+None/m.test(text);
  }

  async abortJob(): Promise<void> {
    await this.#run('domjobabort', [], answerTimeoutMs, neverAborted());
  }

  async resume(): Promise<void> {
    await this.#run('resume', [], answerTimeoutMs, neverAborted());
  }

  /** Throws `cancelled`, and `unavailable` with what virsh said. */
  async #run(
    name: string,
    words: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string> {
    const end = await runProgram({
      // The name behind an option of its own: it may begin with a dash.
      command: ['virsh', '-c', this.#uri, name, '--domain', this.#domain, ...words],
      timeoutMs,
      signal,
      environment: { LC_ALL: 'C' },
    }).catch((error: unknown) => {
      throw new ParsError('unavailable', missingVirsh, { cause: error });
    });
    if (end.exitCode === notFoundExitCode) {
      throw new ParsError('unavailable', missingVirsh);
    }
    if (signal.aborted && end.exitCode !== 0) {
      throw new ParsError(
        'cancelled',
        `stopped while libvirt worked: virsh ${name} ${this.#domain}`,
      );
    }
    if (end.exitCode !== 0) {
      throw new ParsError(
        'unavailable',
        `virsh -c ${this.#uri} ${name} ${this.#domain} failed: ${describeEnd(end)}`,
      );
    }
    return end.stdout;
  }
}

const missingVirsh = 'virsh is not installed (package libvirt-clients)';

const neverAborted = (): AbortSignal => new AbortController().signal;

/** A comma ends a value, two are one. */
const specValue = (text: string): string => text.replaceAll(',', ',,');
