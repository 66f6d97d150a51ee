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
/** through small windows: some 16 round trips */
const SMALL_SIZE = 1 << 20;
/** Round trips, ms: long enough that the line decides how much is under way, on a busy machine too. */
const distances = [60, 100, 200];

let folder: string;
let sites: TestSites;
let coordinator: FakeCoordinator;
let small: { port: number; close: () => void };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-far-'));
  sites = await TestSites.make(distances.length);
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

/** Upload as a daemon does, over a connection that stands already. @returns most bytes under way at once */
async function withWindow(site: number, roundTripMs: number): Promise<number> {
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
  await link.upload(job);
  await link.close();
  await proxy.close();
  return proxy.seen.held;
}

/** Bytes into the windows that grpc-js offers by itself: no sealing, no disk, nothing to check. */
async function withoutWindow(site: number, roundTripMs: number): Promise<{ held: number; arrived: number }> {
  const proxy = await FaultProxy.start(small.port);
  const sender = new PlainSender(proxy.port, await sites.certificate(site));
  await sender.ready();
  proxy.change({ roundTripMs });
  const arrived = await sender.send(SMALL_SIZE);
  sender.close();
  await proxy.close();
  return { held: proxy.seen.held, arrived };
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

  // bytes a round trip are the speed on a long line; seconds would measure this machine (they stand in the benchmark)
  it.each(distances.map((ms, i) => [ms, i + 1] as const))(
    'at %i ms has 10 times as many bytes under way as the windows of grpc-js let through',
    async (roundTripMs, site) => {
      const slow = await withoutWindow(site, roundTripMs);
      const held = await withWindow(site, roundTripMs);
      expect(slow.arrived).toBe(SMALL_SIZE);
      expect(slow.held).toBeLessThan(2 * DEFAULT_WINDOW);
      expect(held).toBeGreaterThan(10 * slow.held);
    },
  );
});
