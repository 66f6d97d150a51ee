import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CoordinatorApi } from './index.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function api(listener: RequestListener): Promise<CoordinatorApi> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const { port } = listening.address() as AddressInfo;
  return new CoordinatorApi({ server: `http://127.0.0.1:${port}`, token: 'secret' });
}

describe('the client of the REST API', () => {
  it('sends the token and parses JSON', async () => {
    const client = await api((request, response) => {
      response.end(JSON.stringify({ got: request.headers.authorization }));
    });
    expect(await client.get('/api/v1/runs')).toEqual({ got: 'Bearer secret' });
  });

  it("passes the coordinator's own error on", async () => {
    const client = await api((_, response) => {
      response.writeHead(403);
      response.end(JSON.stringify({ error: { code: 'E_POLICY', message: 'plan: sites: no', hint: 'ask' } }));
    });
    await expect(client.get('/x')).rejects.toMatchObject({
      code: 'E_POLICY',
      message: 'plan: sites: no',
      hint: 'ask',
    });
  });

  it('names a refused token and an unreachable coordinator', async () => {
    const client = await api((_, response) => {
      response.writeHead(401);
      response.end();
    });
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'E_AUTH' });
    const nobody = new CoordinatorApi({ server: 'http://127.0.0.1:9', token: '' });
    await expect(nobody.get('/x')).rejects.toMatchObject({ code: 'E_CONNECTION', retryable: true });
  });

  it('reads events that arrive in pieces', async () => {
    const client = await api((_, response) => {
      response.write('id: 1\ndata: {"a"');
      response.write(':1}\n\n: comment\n\nid: 2\nevent: closed\ndata: x\ndata: y\n\n');
      response.end();
    });
    const events = [];
    for await (const event of client.events('/e', '0')) events.push(event);
    expect(events).toEqual([
      { id: '1', event: 'message', data: '{"a":1}' },
      { id: '2', event: 'closed', data: 'x\ny' },
    ]);
  });
});
