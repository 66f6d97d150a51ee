import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from '@regulon/shared/crypto';
import type { Notice } from '@regulon/shared/wire';
import { FaultProxy } from '../support/faults/index.js';
import { FakeCoordinator } from '../support/transport/fake-coordinator.js';
import { until } from '../support/until.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const SIZE = 600_000;
/** instead of ten seconds */
const connectMs = 300;

let folder: string;
let sites: TestSites;
let coordinator: FakeCoordinator;
let proxies: FaultProxy[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-handshake-'));
  sites = await TestSites.make(2);
  coordinator = await new FakeCoordinator(sites.server, join(folder, 'spool'), SIZE).start();
  const { control, bulk } = coordinator.ports;
  proxies = [await FaultProxy.start(control), await FaultProxy.start(bulk)];
});
afterEach(async () => {
  await sites.disconnect();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await coordinator.stop();
  await rm(folder, { recursive: true });
});

const ports = (): { control: number; bulk: number } => ({
  control: proxies[0]?.port ?? 0,
  bulk: proxies[1]?.port ?? 0,
});
const all = (change: (proxy: FaultProxy) => void): void => proxies.forEach(change);

describe('a connection that is lost before its first HTTP/2 frame', () => {
  it('is given up for a fresh one: requests, the watch stream and an upload go on', async () => {
    const link = await sites.connect(1, ports(), { connectMs });
    all((proxy) => proxy.change({ mute: true }));
    const heard: Notice[] = [];
    link.onNotice((notice) => heard.push(notice));
    const hello = link.connect();
    const receipt = link.upload(await storedUpload(folder, 1, randomBytes(SIZE)));
    await until(() => (proxies[0]?.seen.connections ?? 0) > 0);
    all((proxy) => proxy.change({ mute: false }));
    expect(await hello).toMatchObject({ protocolVersion: 1 });
    expect(await receipt).toHaveLength(64);
    await until(() => heard.length > 0);
  });

  it('is waited for while the coordinator cannot be reached at all', async () => {
    const link = await sites.connect(1, ports(), { connectMs });
    all((proxy) => proxy.change({ mute: true }));
    const hello = link.connect({ timeoutMs: 20_000 });
    // a handshake that is tried beside it meets silence, too, for three seconds
    await until(() => (proxies[0]?.seen.connections ?? 0) > 1);
    const dialled = proxies[0]?.seen.connections ?? 0;
    all((proxy) => proxy.change({ mute: false }));
    expect(await hello).toMatchObject({ protocolVersion: 1 });
    expect(dialled).toBe(2);
  });
});
