import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePorts } from './ports.js';

const [FIRST, BLOCK] = [20_000, 8];

async function listening(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
const blockOf = (ports: readonly number[]): number => ((ports[0] ?? 0) - 1 - FIRST) / BLOCK;
/** Draws that are given, then others. */
const drawing =
  (...given: number[]) =>
  (below: number): number =>
    given.shift() ?? randomInt(below);

describe('ports of a federation on this machine', () => {
  it('can be listened at again and again, and lie below those that the system hands out', async () => {
    const ports = await freePorts(3);
    expect(new Set(ports).size).toBe(3);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    for (const again of [1, 2]) {
      const servers = await Promise.all(ports.map(listening));
      expect([again, servers.length]).toEqual([again, 3]);
      await Promise.all(servers.map(closed));
    }
  });

  it('are given to nobody else, though nobody listens there yet', async () => {
    const ports = await freePorts(3);
    await expect(listening((ports[0] ?? 0) - 1)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const others = await freePorts(3, drawing(blockOf(ports)));
    expect(ports.filter((port) => others.includes(port))).toEqual([]);
  });

  it('are not those of a block in which somebody listens already', async () => {
    const block = randomInt(1500);
    // where the port is taken, somebody else listens there: as good
    const other = await listening(FIRST + BLOCK * block + 3).catch(() => undefined);
    const ports = await freePorts(3, drawing(block));
    expect(blockOf(ports)).not.toBe(block);
    if (other) await closed(other);
  });

  it('are refused by name when no block is free', async () => {
    const block = blockOf(await freePorts(1));
    await expect(freePorts(1, () => block)).rejects.toMatchObject({ code: 'E_ENVIRONMENT' });
  });
});
