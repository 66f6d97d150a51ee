import { z } from 'zod';
import { RegulonError } from '@regulon/shared/errors';
import { parseJsonText } from '../files/index.js';
import { isErrorCode } from '../output/index.js';
import { type ServerSentEvent, serverSentEvents } from './sse.js';

const TIMEOUT_MS = 30_000;

/** Where a coordinator's REST API is, and the token that opens it. */
export interface ApiAddress {
  /** e.g. `http://127.0.0.1:8080` */
  readonly server: string;
  /** empty before a login */
  readonly token: string;
}

/** Requests with the bearer token; what comes back is checked before anybody sees it. */
export class RestClient {
  constructor(private readonly address: ApiAddress) {}

  /** @throws E_CONNECTION, E_AUTH, the coordinator's own error; E_MESSAGE when the answer is of another form */
  async get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return this.parse(await this.request(path, {}), schema);
  }

  /** @throws as `get` */
  async post<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return this.parse(response, schema);
  }

  /** @throws as `get` */
  async delete<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return this.parse(await this.request(path, { method: 'DELETE' }), schema);
  }

  /** Bytes of a download, without a limit of time but the caller's. */
  async bytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    const response = await this.request(path, signal ? { signal } : {}, null);
    return new Uint8Array(await this.whole(response.arrayBuffer()));
  }

  /** Bytes of a download piece by piece, without a limit of time. @throws E_CONNECTION when it breaks off */
  async *pieces(path: string): AsyncGenerator<Uint8Array> {
    const { body } = await this.request(path, {}, null);
    if (body === null) return;
    const reader = body.getReader();
    try {
      for (let next = await this.whole(reader.read()); !next.done; next = await this.whole(reader.read()))
        yield next.value;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** Events of a path, from after `lastId` on; ends when the coordinator closes the stream. */
  async *events(path: string, lastId: string, signal?: AbortSignal): AsyncGenerator<ServerSentEvent> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastId };
    const response = await this.request(path, { headers, ...(signal ? { signal } : {}) }, null);
    if (response.body) yield* serverSentEvents(response.body);
  }

  private async parse<S extends z.ZodType>(response: Response, schema: S): Promise<z.output<S>> {
    const text = await this.whole(response.text());
    const { server } = this.address;
    return parseJsonText(text, schema, `${server}${new URL(response.url).pathname}`, 'E_MESSAGE');
  }

  private async request(
    path: string,
    init: RequestInit,
    timeoutMs: number | null = TIMEOUT_MS,
  ): Promise<Response> {
    const { server, token } = this.address;
    // a kept connection may have been closed by the time a busy process uses it again, and a lost POST is not repeated
    const headers = {
      ...{ connection: 'close', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
      ...init.headers,
    };
    const limit = timeoutMs === null ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    let response: Response;
    try {
      // below whatever path a proxy serves the coordinator at
      response = await fetch(`${server.replace(/\/+$/, '')}${path}`, { ...limit, ...init, headers });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new RegulonError('E_CONNECTION', `${server} does not answer (${reasonOf(cause)})`, { cause });
    }
    if (response.ok) return response;
    throw await errorOf(response, server);
  }

  /** A body that breaks off is a lost connection. */
  private async whole<T>(body: Promise<T>): Promise<T> {
    try {
      return await body;
    } catch (cause) {
      const { server } = this.address;
      throw new RegulonError('E_CONNECTION', `${server} broke off its answer (${reasonOf(cause)})`, {
        cause,
      });
    }
  }
}

type RequestInit = NonNullable<Parameters<typeof fetch>[1]>;

const failedFetch = z.object({
  name: z.string(),
  cause: z.object({ code: z.string().exactOptional(), message: z.string() }).exactOptional(),
});

/** The reason that lies below an error of `fetch`. */
function reasonOf(error: unknown): string {
  const { data } = failedFetch.safeParse(error);
  if (data?.name === 'TimeoutError') return `nothing within ${TIMEOUT_MS / 1000} s`;
  return data?.cause?.code ?? data?.cause?.message ?? data?.name ?? 'unknown reason';
}

const detail = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const coordinatorError = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().exactOptional(),
  retryable: z.boolean().exactOptional(),
  details: z.record(z.string(), detail).exactOptional(),
});
/** Errors come as `{"error": {…}}`, or as that object itself. */
const errorBody = z.union([
  z.object({ error: coordinatorError }).transform((b) => b.error),
  coordinatorError,
]);

async function errorOf(response: Response, server: string): Promise<RegulonError> {
  const { success, data } = errorBody.safeParse(await response.json().catch(() => null));
  if (success && isErrorCode(data.code)) {
    const { code: _code, message, ...more } = data;
    return new RegulonError(data.code, message, more);
  }
  if (response.status === 401 || response.status === 403)
    return new RegulonError('E_AUTH', `${server} refuses the token`);
  if (response.status === 404)
    return new RegulonError('E_NOT_FOUND', `${server} does not know ${new URL(response.url).pathname}`);
  if (success && /^E_[A-Z0-9_]{1,40}$/.test(data.code))
    return new RegulonError('E_VERSION', `${server} answered ${data.code}, which this version does not know`);
  return new RegulonError('E_MESSAGE', `${server} answered with status ${response.status}`, {
    hint: 'check that the address is that of a coordinator, and its log',
  });
}
