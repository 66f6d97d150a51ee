import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RestClient } from './index.js';

let server: Server | undefined;
afterEach(() => void server?.close());

async function serve(listener: RequestListener): Promise<RestClient> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const { port } = listening.address() as AddressInfo;
  return new RestClient({ server: `http://127.0.0.1:${port}`, token: 'secret' });
}

describe('the client of the REST API', () => {
  it('sends the token and parses JSON', async () => {
    const client = await serve((request, response) => {
      response.end(JSON.stringify({ got: request.headers.authorization }));
    });
    expect(await client.get('/api/v1/runs', z.object({ got: z.string() }))).toEqual({ got: 'Bearer secret' });
  });

  it('asks over a new connection each time: one kept could be closed when it is used again', async () => {
    let connections = 0;
    const client = await serve((_, response) => void response.end('null'));
    server?.on('connection', () => connections++);
    for (let k = 0; k < 3; k++) await client.get('/x', z.null());
    expect(connections).toBe(3);
  });

  it("passes the coordinator's own error on", async () => {
    const client = await serve((_, response) => {
      response.writeHead(403);
      const error = { code: 'E_POLICY', message: 'plan: sites: no', hint: 'ask', details: { sites: 3 } };
      response.end(JSON.stringify({ error }));
    });
    await expect(client.get('/x', z.unknown())).rejects.toMatchObject({
      code: 'E_POLICY',
      message: 'plan: sites: no',
      hint: 'ask',
      details: { sites: 3 },
    });
  });

  it('names a refused token and an unreachable coordinator', async () => {
    const client = await serve((_, response) => {
      response.writeHead(401);
      response.end();
    });
    await expect(client.get('/x', z.unknown())).rejects.toMatchObject({ code: 'E_AUTH' });
    const nobody = new RestClient({ server: 'http://127.0.0.1:9', token: '' });
    await expect(nobody.get('/x', z.unknown())).rejects.toMatchObject({
      code: 'E_CONNECTION',
      retryable: true,
    });
  });

  it.each([
    ['another form', '{"got": 7}', 200, 'E_MESSAGE', /\/x: got: /],
    ['no JSON', '<html>', 200, 'E_MESSAGE', /\/x: not JSON$/],
    ['an error that is no JSON', '<html>', 502, 'E_MESSAGE', /answered with status 502$/],
    ['a code of a newer version', '{"error":{"code":"E_NEWER","message":"m"}}', 409, 'E_VERSION', /E_NEWER/],
  ])('refuses %s', async (_, body, status, code, message) => {
    const client = await serve((__, response) => void response.writeHead(status).end(body));
    const answer = client.get('/x', z.object({ got: z.string() }));
    await expect(answer).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it('takes an answer that breaks off for a lost connection', async () => {
    const client = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"got"', () => response.destroy());
    });
    await expect(client.get('/x', z.unknown())).rejects.toMatchObject({ code: 'E_CONNECTION' });
  });

  it('reads events that arrive in pieces', async () => {
    const client = await serve((_, response) => {
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
