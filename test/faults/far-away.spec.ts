import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hex, rootOfBytes } from '@regulon/shared/crypto';
import { FaultProxy } from '../support/faults/index.js';
import { FakeCoordinator } from '../support/transport/fake-coordinator.js';
import { until } from '../support/until.js';
import { PlainSender, smallWindowServer } from './support/small-window.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const WINDOW = 16 << 20;
const DEFAULT_WINDOW = 65_535;
const SIZE = 4 << 20;
/** Uploads of which the best counts: what else the machine does must not. */
const TRIES = 2;
/** Round trip, ms, and how many times as fast at least; at 10 ms the processor of a busy machine is the limit. */
const distances = [
  [10, 4],
  [40, 10],
  [60, 10],
] as const;

let folder: string;
let sites: TestSites;
let coordinator: FakeCoordinator;
let small: { port: number; close: () => void };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-far-'));
  sites = await TestSites.make(TRIES * distances.length);
  const { members } = sites;
  coordinator = new FakeCoordinator(sites.server, join(folder, 'spool'), SIZE, undefined, { members });
  await coordinator.start();
  small = await smallWindowServer(sites.server);
});
afterAll(async () => {
  await sites.disconnect();
  small.close();
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** Upload as a daemon does, over a connection that stands already. */
async function withWindow(site: number, roundTripMs: number): Promise<{ seconds: number; held: number }> {
  const proxy = await FaultProxy.start(coordinator.ports.bulk);
  const ports = { control: coordinator.ports.control, bulk: proxy.port };
  const link = await sites.connect(site, ports);
  const warm = join(folder, 'warm');
  await writeFile(warm, 'warm');
  const digest = rootOfBytes(Buffer.from('warm'));
  coordinator.book.blobs.set(hex(digest.slice(0, 16)), { digest, path: warm });
  await link.download({ digest, path: join(folder, `warm-${site}`), size: 4 });
  const job = await storedUpload(folder, site, randomBytes(SIZE));
  proxy.change({ roundTripMs });
  const seconds = await secondsOf(() => link.upload(job));
  await link.close();
  await proxy.close();
  return { seconds, held: proxy.seen.held };
}

/** The same number of bytes into the windows that grpc-js offers by itself: no sealing, no disk, nothing to check. */
async function withoutWindow(
  site: number,
  roundTripMs: number,
): Promise<{ seconds: number; held: number; arrived: number }> {
  const proxy = await FaultProxy.start(small.port);
  const sender = new PlainSender(proxy.port, await sites.certificate(site));
  await sender.ready();
  proxy.change({ roundTripMs });
  let arrived = 0;
  const seconds = await secondsOf(async () => (arrived = await sender.send(SIZE)));
  sender.close();
  await proxy.close();
  return { seconds, held: proxy.seen.held, arrived };
}

describe('an upload from far away (T2)', () => {
  it('finds windows of 16 MiB behind the proxy, for the stream and for the connection', async () => {
    const proxy = await FaultProxy.start(coordinator.ports.bulk, { roundTripMs: 40 });
    const { ca, key, cert } = await sites.certificate(1);
    const session = connect(`https://127.0.0.1:${proxy.port}`, { ca, key, cert });
    const settings = await new Promise<{ initialWindowSize?: number }>((resolve) =>
      session.once('remoteSettings', resolve),
    );
    expect(settings.initialWindowSize).toBe(WINDOW);
    await until(() => (session.state.remoteWindowSize ?? 0) >= WINDOW);
    session.destroy();
    await proxy.close();
  });

  it.each(distances.map(([ms, times], i) => [ms, times, TRIES * i + 1] as const))(
    'at %i ms is %i times as fast as through the windows of grpc-js, which hold 64 KiB a round trip',
    async (roundTripMs, times, site) => {
      const slow = await withoutWindow(site, roundTripMs);
      const tries = [];
      for (let i = 0; i < TRIES; i++) tries.push(await withWindow(site + i, roundTripMs));
      const fastest = Math.min(...tries.map(({ seconds }) => seconds));
      const held = Math.max(...tries.map((each) => each.held));
      expect(slow.arrived).toBe(SIZE);
      expect(slow.held).toBeLessThan(2 * DEFAULT_WINDOW);
      expect(held).toBeGreaterThan(10 * DEFAULT_WINDOW);
      expect(slow.seconds / fastest).toBeGreaterThan(times);
    },
  );
});
