import { RegulonError } from '@regulon/shared/errors';
import { isErrorCode } from '../output/index.js';
import { type ServerSentEvent, serverSentEvents } from './sse.js';

const TIMEOUT_MS = 30_000;

/** Where a coordinator's REST API is, and the token that opens it. */
export interface ApiAddress {
  /** e.g. `http://127.0.0.1:8080` */
  readonly server: string;
  readonly token: string;
}

/** The coordinator's REST API; errors come back with the coordinator's own code, message and hint. */
export class CoordinatorApi {
  constructor(private readonly address: ApiAddress) {}

  /** @throws E_CONNECTION, E_AUTH, or the coordinator's own error */
  async get<T>(path: string): Promise<T> {
    return (await (await this.request(path, {})).json()) as T;
  }

  /** Bytes of a download. */
  async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.request(path, {}, null)).arrayBuffer());
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  /** Events of a path, from after `lastId` on; ends when the coordinator closes the stream. */
  async *events(path: string, lastId: string, signal?: AbortSignal): AsyncGenerator<ServerSentEvent> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastId };
    const response = await this.request(path, { headers, ...(signal ? { signal } : {}) }, null);
    if (response.body) yield* serverSentEvents(response.body);
  }

  private async request(
    path: string,
    init: RequestInit,
    timeoutMs: number | null = TIMEOUT_MS,
  ): Promise<Response> {
    const { server, token } = this.address;
    const headers = { authorization: `Bearer ${token}`, ...init.headers };
    const limit = timeoutMs === null ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    let response: Response;
    try {
      response = await fetch(new URL(path, server), { ...limit, ...init, headers });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new RegulonError('E_CONNECTION', `${server} does not answer (${reasonOf(cause)})`, { cause });
    }
    if (response.ok) return response;
    throw await errorOf(response, server);
  }
}

type RequestInit = NonNullable<Parameters<typeof fetch>[1]>;

function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  return cause?.code ?? cause?.message ?? name ?? 'unknown reason';
}

/** The coordinator answers errors as `{"error": {code, message, hint}}`, or as that object itself. */
async function errorOf(response: Response, server: string): Promise<RegulonError> {
  const body = (await response.json().catch(() => ({}))) as { error?: unknown };
  const inner = typeof body.error === 'object' && body.error !== null ? body.error : body;
  const { code, message, hint } = inner as { code?: unknown; message?: unknown; hint?: unknown };
  if (isErrorCode(code)) {
    const text = typeof message === 'string' ? message : `status ${response.status}`;
    return new RegulonError(code, text, typeof hint === 'string' ? { hint } : {});
  }
  if (response.status === 401 || response.status === 403)
    return new RegulonError('E_AUTH', `${server} refuses the token`);
  if (response.status === 404)
    return new RegulonError('E_NOT_FOUND', `${server} does not know ${new URL(response.url).pathname}`);
  return new RegulonError('E_INTERNAL', `${server} answered with status ${response.status}`);
}
