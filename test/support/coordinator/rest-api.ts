import { type RunningApi, startApi } from '@regulon/coordinator/api';
import { apiContextOf } from '@regulon/coordinator/app';
import type { SimulatedFederation } from './simulated-federation.js';

const TOKEN = 'secret';

/** What a request of a test says; without a token the header is left out. */
export interface RestRequest {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
}

/** The REST server of a simulated federation's coordinator, and requests to it. */
export class RestApi {
  private constructor(private readonly server: RunningApi) {}

  /** @param defects what the server reports as a defect is added here @param port 0 for any */
  static async start({ core }: SimulatedFederation, defects: unknown[], port = 0): Promise<RestApi> {
    const settleLog = (): Promise<void> => Promise.resolve();
    const context = { ...apiContextOf(core, TOKEN, () => null), settleLog };
    return new RestApi(await startApi(context, port, (error) => void defects.push(error)));
  }

  get port(): number {
    return this.server.port;
  }

  /** @param path begins with a slash */
  request(path: string, { method = 'GET', token = TOKEN, body }: RestRequest = {}): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token !== '') headers['authorization'] = `Bearer ${token}`;
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
