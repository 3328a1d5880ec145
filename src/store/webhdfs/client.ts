// One request to WebHDFS, with failover between NameNodes but without retries: those belong to whole operations.
//
// Two kinds of operation: most are answered by the NameNode itself; CREATE, OPEN and GETFILECHECKSUM are answered with
// the URL of a DataNode, which is asked second. That URL carries the user or a token of its own.

import type { z } from 'zod';
import { ParsError } from '../../../introspect/pars-error.js';
import type { NameNodes } from '../hadoop/name-nodes.js';
import type { DataNodeMap } from '../hadoop/url-parts.js';
import { locationAnswer } from './answers.js';
import { reachedAt } from './http/data-node-map.js';
import type { HttpAnswer, HttpClient, HttpRequest } from './http/http-client.js';
import { jsonMaxBytes, readErrorText, readLimited } from './http/limited-body.js';
import { errorOfAnswer } from './remote-exception.js';
import { tokenParameter } from './url.js';

export interface Operation {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** As WebHDFS names it: GETFILESTATUS. */
  readonly op: string;
  /** Absolute in HDFS, not percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

export interface ClientOptions {
  readonly http: HttpClient;
  readonly nameNodes: NameNodes;
  readonly dataNodes: DataNodeMap;
  /** Before /webhdfs/v1, not percent-encoded. */
  readonly gatewayPath: string;
  readonly scheme: 'http' | 'https';
  readonly userName: string;
  /** Stands for the user when given. */
  readonly delegationToken: string | undefined;
  readonly idleTimeoutMs: number;
  readonly answerTimeoutMs: number;
}

/** For a request with a body, whose bounds are others. */
export interface BodyToSend {
  readonly body: AsyncIterable<Uint8Array>;
  readonly idleTimeoutMs: number;
  readonly continueTimeoutMs: number;
}

export class WebHdfsClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Asks the active NameNode and checks the answer against `schema`. */
  ask<Schema extends z.ZodType>(operation: Operation, schema: Schema): Promise<z.infer<Schema>> {
    return this.#options.nameNodes.ask(async (hostPort) => {
      const request = this.#nameNodeRequest(operation, hostPort);
      const answer = await this.#options.http.send(request);
      if (answer.status !== 200) {
        throw await refusal(answer, request);
      }
      return await this.#json(answer, request, schema);
    });
  }

  /**
   * Asks the active NameNode for what it tells of itself (JMX), which only itself has: no HttpFS and no gateway. `bean` is the
   * name of it, without its service.
   */
  askBean<Schema extends z.ZodType>(
    bean: string,
    schema: Schema,
    signal: AbortSignal | undefined,
  ): Promise<z.infer<Schema>> {
    return this.#options.nameNodes.ask(async (hostPort) => {
      const asked = { method: 'GET', op: bean, path: '', signal } as const;
      const { url, ...rest } = this.#nameNodeRequest(asked, hostPort);
      url.pathname = '/jmx';
      url.searchParams.delete('op');
      url.searchParams.set('qry', `Hadoop:service=NameNode,name=${bean}`);
      const request = { ...rest, url };
      const answer = await this.#options.http.send(request);
      if (answer.status !== 200) {
        throw await refusal(answer, request);
      }
      return await this.#json(answer, request, schema);
    });
  }

  /** The DataNode that the active NameNode sends this operation to. */
  locate(operation: Operation): Promise<URL> {
    return this.#options.nameNodes.ask(async (hostPort) => {
      const query = { ...operation.query, noredirect: 'true' };
      const request = this.#nameNodeRequest({ ...operation, query }, hostPort);
      const answer = await this.#options.http.send(request);
      if (answer.status !== 200 && answer.status !== 307) {
        throw await refusal(answer, request);
      }
      // Gateways and Hadoop 2 do not know noredirect.
      const header = answer.status === 307 ? answer.headers.location : undefined;
      if (header !== undefined) {
        answer.body.resume();
      }
      const location = header ?? (await this.#json(answer, request, locationAnswer)).Location;
      return this.#checkedLocation(location, request);
    });
  }

  /** Asks a DataNode and gives its answer, whose status is 200 or 201, to `use`. */
  async askDataNode<T>(
    url: URL,
    operation: Operation,
    use: (answer: HttpAnswer) => Promise<T>,
    send?: BodyToSend,
  ): Promise<T> {
    const request: HttpRequest = {
      method: operation.method,
      url,
      reachedAt: reachedAt(this.#options.dataNodes, url),
      doing: `${operation.op} ${operation.path}`,
      signal: operation.signal,
      ...(send === undefined
        ? this.#bounds()
        : // HDFS may be silent for as long after the body as amid it.
          { ...send, answerTimeoutMs: send.idleTimeoutMs }),
    };
    const answer = await this.#options.http.send(request);
    if (answer.status !== 200 && answer.status !== 201) {
      throw await refusal(answer, request);
    }
    try {
      return await use(answer);
    } catch (error) {
      answer.body.destroy();
      throw this.#options.http.translate(error, request);
    }
  }

  async readJson<Schema extends z.ZodType>(
    answer: HttpAnswer,
    where: string,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const bytes = await readLimited(answer, jsonMaxBytes);
    if (!bytes) {
      throw new ParsError('unsupported', `${where}: the answer is over ${jsonMaxBytes} bytes`);
    }
    let json: unknown;
    try {
      json = bytes.length === 0 ? undefined : JSON.parse(bytes.toString());
    } catch (cause) {
      throw notWebHdfs(where, `the answer is no JSON but '${startOf(bytes)}'`, cause);
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) {
      return parsed.data;
    }
    throw notWebHdfs(where, `the answer has another form: ${startOf(bytes)}`, parsed.error);
  }

  async #json<Schema extends z.ZodType>(
    answer: HttpAnswer,
    request: HttpRequest,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    try {
      return await this.readJson(answer, `${request.doing} at ${request.url.host}`, schema);
    } catch (error) {
      throw this.#options.http.translate(error, request);
    }
  }

  #bounds(): Pick<HttpRequest, 'idleTimeoutMs' | 'answerTimeoutMs'> {
    const { idleTimeoutMs, answerTimeoutMs } = this.#options;
    return { idleTimeoutMs, answerTimeoutMs };
  }

  #nameNodeRequest(operation: Operation, hostPort: string): HttpRequest {
    const { scheme, gatewayPath, userName, delegationToken } = this.#options;
    const [gateway, path] = [gatewayPath, operation.path].map((text) =>
      text.split('/').map(encodeURIComponent).join('/'),
    );
    const url = new URL(`${scheme}://${hostPort}${gateway}/webhdfs/v1${path}`);
    url.searchParams.set('op', operation.op);
    if (delegationToken === undefined) {
      url.searchParams.set('user.name', userName);
    } else {
      url.searchParams.set(tokenParameter, delegationToken);
    }
    for (const [key, value] of Object.entries(operation.query ?? {})) {
      url.searchParams.set(key, value);
    }
    return {
      method: operation.method,
      url,
      doing: `${operation.op} ${operation.path}`,
      ...this.#bounds(),
      signal: operation.signal,
    };
  }

  #checkedLocation(location: string, request: HttpRequest): URL {
    const where = `${request.doing} at ${request.url.host}`;
    const url = URL.canParse(location) ? new URL(location) : undefined;
    // The location itself may hold a token, so it is not repeated.
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw notWebHdfs(where, 'it names no DataNode to go to');
    }
    if (request.url.protocol === 'https:' && url.protocol === 'http:') {
      throw new ParsError(
        'unsupported',
        `${where}: the NameNode speaks TLS but sends to ${url.host} without; set dfs.http.policy to HTTPS_ONLY`,
      );
    }
    return url;
  }
}

async function refusal(answer: HttpAnswer, request: HttpRequest): Promise<ParsError> {
  const text = await readErrorText(answer);
  return errorOfAnswer(answer.status, text, request.doing, request.url.host);
}

function notWebHdfs(where: string, found: string, cause?: unknown): ParsError {
  return new ParsError(
    'unsupported',
    `${where}: ${found}; expected WebHDFS of Hadoop 2.8 or newer, so check host and port`,
    { cause },
  );
}

function startOf(bytes: Buffer): string {
  const text = bytes.subarray(0, 120).toString().replace(/\s+/g, ' ');
  return text.replace(new RegExp(`${tokenParameter}=[^&"]*`, 'g'), `${tokenParameter}=...`);
}
