// Takes a migration stream from QEMU into a file, over a unix socket of ours.
//
// Whatever happens to the file, the stream is read to its end: before 8.1 a QEMU whose background snapshot breaks off leaves
// the VM's memory write-protected, and the VM hangs at its next write.
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { ParsError } from '../../../../introspect/pars-error.js';
import { diskError } from '../../../host/disk-error.js';

export interface StreamReceiver {
  /** As `migrate` takes it. */
  readonly uri: string;
  /** Resolves when QEMU has closed its end, and the file is synced; with what kept the file from being whole. */
  readonly ended: Promise<ParsError | undefined>;
  /** Takes no more connections; the one there is, is read on. */
  close(): void;
}

/** `sun_path` of unix(7), without its NUL byte. */
const socketPathLimit = 107;

/** Throws `usage`. */
export function expectShortEnough(socketPath: string): void {
  if (Buffer.byteLength(socketPath) > socketPathLimit) {
    throw new ParsError(
      'usage',
      `the path ${socketPath} is too long for a socket: at most ${socketPathLimit} bytes; choose a shorter scratch folder`,
    );
  }
}

/** Without a `path` the stream is read and dropped. */
export async function receiveStream(
  socketPath: string,
  path: string | undefined,
): Promise<StreamReceiver> {
  expectShortEnough(socketPath);
  const file =
    path === undefined
      ? undefined
      : await open(path, 'wx', 0o600).catch((error: unknown) => {
          throw diskError(error, `cannot create ${path}`);
        });
  const server = createServer();
  let isConnected = false;
  const ended = new Promise<ParsError | undefined>((resolve) => {
    server.once('connection', (socket) => {
      // One stream, one connection.
      isConnected = true;
      server.close();
      resolve(readToEnd(socket, file, path ?? ''));
    });
  });
  server.once('close', () => {
    if (!isConnected) {
      void file?.close();
    }
  });
  await listen(server, socketPath).catch(async (error: unknown) => {
    await file?.close();
    throw error;
  });
  return { uri: `unix:${socketPath}`, ended, close: () => server.close() };
}

async function readToEnd(
  socket: Socket,
  file: FileHandle | undefined,
  path: string,
): Promise<ParsError | undefined> {
  let problem: ParsError | undefined;
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problem ??= diskError(error, `cannot write ${path}`);
    }
  };
  try {
    for await (const piece of socket as AsyncIterable<Buffer>) {
      if (file !== undefined && problem === undefined) {
        await attempt(() => file.writeFile(piece));
      }
    }
  } catch (error) {
    problem ??= diskError(error, `the stream into ${path} broke off`);
  }
  if (file !== undefined) {
    await attempt(() => file.sync());
    await attempt(() => file.close());
  }
  return problem;
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(diskError(error, `cannot listen on ${path}`));
    });
    server.listen(path, resolve);
  });
}
