// How long a file would be under zstd, level 3, without keeping a byte of the result. By Node's own zstd where it has one
// (22.15 and later), else by the `zstd` program.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Transform, Writable } from 'node:stream';
import zlib from 'node:zlib';
import { ParsError } from '../../introspect/pars-error.js';

const level = 3;
const program = 'zstd';

export interface ZstdSize {
  /** The file's next bytes. Resolves when they have been taken and may be changed. */
  write(bytes: Uint8Array): Promise<void>;
  /** After the last byte: the length in bytes. */
  end(): Promise<number>;
  /** Ends it early, whatever it was doing. Nothing happens where it has ended. */
  stop(): Promise<void>;
}

/** What of node:zlib is used; the types of older Nodes do not know it. */
interface ZlibWithZstd {
  readonly createZstdCompress: (options: {
    readonly params: Readonly<Record<number, number>>;
  }) => Transform;
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number;
    readonly ZSTD_c_checksumFlag: number;
  };
}

/** Undefined where there is no zstd. */
export async function startZstdSize(): Promise<ZstdSize | undefined> {
  return 'createZstdCompress' in zlib
    ? startByNode(zlib as unknown as ZlibWithZstd)
    : await startByProgram();
}

function startByNode({ createZstdCompress, constants }: ZlibWithZstd): ZstdSize {
  const stream = createZstdCompress({
    // As the program does it: with a checksum.
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const closed = once(stream, 'close');
  return streamed(stream, stream, closed, () => {
    stream.destroy();
  });
}

async function startByProgram(): Promise<ZstdSize | undefined> {
  const child = spawn(program, [`-${level}`, '-T1', '--quiet', '--stdout'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw failure(`could not be started: ${String(error)}`, error);
  }
  const closed = once(child, 'close').then(([code, signal]: unknown[]) => {
    if (code !== 0) {
      throw failure(`ended with ${String(code ?? signal)}`);
    }
  });
  return streamed(child.stdin, child.stdout, closed, () => {
    child.kill('SIGKILL');
  });
}

function streamed(
  input: Writable,
  output: Readable,
  closed: Promise<unknown>,
  kill: () => void,
): ZstdSize {
  let sizeBytes = 0;
  output.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
  });
  // What fails shows in the answers to `write` and `end`.
  input.on('error', () => undefined);
  closed.catch(() => undefined);
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        input.write(bytes, (error) => {
          if (error) {
            reject(failure(`took no more bytes: ${error.message}`, error));
          } else {
            resolve();
          }
        });
      }),
    end: async () => {
      input.end();
      await closed;
      return sizeBytes;
    },
    stop: async () => {
      kill();
      await closed.catch(() => undefined);
    },
  };
}

function failure(what: string, cause?: unknown): ParsError {
  return new ParsError(
    'unavailable',
    `${program} ${what}; expected it to compress the image, so that its size can be told; ` +
      'try it by hand, or measure where it is not installed',
    { cause },
  );
}
