// A web server that plays NameNode and DataNode at once, for what a real cluster does too rarely: proxies' error pages,
// standby NameNodes, answers that get lost.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
  /** As WebHDFS names it. */
  readonly op: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** True for the second step, asked at the place the first one named. */
  readonly isDataNode: boolean;
  readonly body: Buffer;
}

export type FakeAnswer =
  | { readonly status?: number; readonly json: unknown }
  | {
      readonly status?: number;
      readonly text: string | Buffer;
      readonly headers?: Record<string, string>;
    }
  | 'break the connection'
  | 'stay silent';

export interface FakeWebHdfs {
  readonly hostPort: string;
  readonly requests: readonly FakeRequest[];
  close(): Promise<void>;
}

/** To be answered for the first step of a two-step operation: come back as a DataNode. */
export function redirectTo(hostPort: string, url: URL): FakeAnswer {
  const location = new URL(`http://${hostPort}${url.pathname}${url.search}`);
  location.searchParams.set('datanode', 'yes');
  location.searchParams.delete('noredirect');
  return { json: { Location: location.href } };
}

export function remoteException(exception: string, message: string, status = 403): FakeAnswer {
  return { status, json: { RemoteException: { exception, javaClassName: exception, message } } };
}

export async function startFakeWebHdfs(
  answer: (request: FakeRequest, fake: FakeWebHdfs) => FakeAnswer,
): Promise<FakeWebHdfs> {
  const requests: FakeRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void collect(incoming).then((body) => {
      const url = new URL(incoming.url ?? '/', `http://${fake.hostPort}`);
      const request = {
        op: url.searchParams.get('op') ?? '',
        url,
        headers: incoming.headers,
        isDataNode: url.searchParams.has('datanode'),
        body,
      };
      requests.push(request);
      send(answer(request, fake), outgoing);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeWebHdfs = {
    hostPort: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return fake;
}

async function collect(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
  } catch {
    // The client went away; what arrived is what there is.
  }
  return Buffer.concat(chunks);
}

function send(answer: FakeAnswer, outgoing: ServerResponse): void {
  if (answer === 'stay silent') {
    return;
  }
  if (answer === 'break the connection') {
    outgoing.destroy();
    return;
  }
  outgoing.statusCode = answer.status ?? 200;
  if ('json' in answer) {
    outgoing.end(JSON.stringify(answer.json));
    return;
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    outgoing.setHeader(name, value);
  }
  outgoing.end(answer.text);
}
