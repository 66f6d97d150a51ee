import { createServer, type Server } from 'node:net';
import { RegulonError } from '@regulon/shared/errors';

/**
 * Ports of this machine that were free a moment ago; all held at once, so that they differ.
 *
 * Fixed ports let a coordinator come back under the same address after a crash.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string')
      throw new RegulonError('E_INTERNAL', 'a server without a port');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

async function listening(): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
