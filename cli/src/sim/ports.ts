import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { RegulonError } from '@regulon/shared/errors';

/** Below the ports that a system hands out by itself: from 32768 on Linux, from 49152 elsewhere. */
const FIRST = 20_000;
/** Ports of a block; the first one is its guard. */
const BLOCK = 8;
const BLOCKS = 1500;
const TRIES = 200;

/**
 * Free ports of this machine that stay the caller's while its process lives, also when whoever listens there is killed and
 * started again.
 *
 * They lie in a block whose first port this process goes on listening at: another process, or another call, that finds the
 * guard of a block takes another block. No connection and no server that asks for any free port is given one of them.
 *
 * @param count at most 7 @param draw a whole number from 0 up to below its argument
 * @throws E_ENVIRONMENT when no block is free
 */
export async function freePorts(
  count: number,
  draw: (below: number) => number = randomInt,
): Promise<number[]> {
  for (let tries = 0; tries < TRIES; tries++) {
    const first = FIRST + BLOCK * draw(BLOCKS);
    const guard = await listening(first);
    if (!guard) continue;
    const ports = Array.from({ length: count }, (_, k) => first + 1 + k);
    if (await areFree(ports)) {
      guard.unref();
      return ports;
    }
    await closed(guard);
  }
  throw new RegulonError('E_ENVIRONMENT', `no ${count} ports of 127.0.0.1 are free from ${FIRST} on`, {
    hint: 'end programs that listen there',
  });
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  const servers = await Promise.all(ports.map(listening));
  const free = servers.filter((server) => server !== undefined);
  await Promise.all(free.map(closed));
  return free.length === ports.length;
}

const closed = (server: Server): Promise<unknown> => new Promise((done) => server.close(done));

/** A server at a port; undefined where another one is. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
