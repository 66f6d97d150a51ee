import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { committedPath } from '@regulon/coordinator/transport';
import { Dice } from '../security/support/dice.js';
import { FaultProxy } from '../support/faults/index.js';
import type { Material } from '../support/transport/certificates.js';
import { RUN } from '../support/transport/fake-coordinator.js';
import { until } from '../support/until.js';
import { childCompiled, CoordinatorProcess } from './support/coordinator-process.js';
import {
  call,
  compressedBombs,
  dribble,
  malformedStreams,
  openCalls,
  RST_STREAM,
  sendRaw,
  session,
  stay,
} from './support/hostile-http2.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const PUT = '/regulon.bulk.v1.BulkService/Put';
const EXCHANGE = '/regulon.control.v1.ControlService/Exchange';
const SIZE = 2_000_000;
const HOSTILE = 1;
/** A message in frames of one byte costs a hundred times its size: 320 KiB on each of two streams. */
const DRIBBLED = 320 << 10;
const MEMORY = 2 * (38 << 20) + (96 << 20);
const possible = childCompiled && existsSync('/proc/self/status');
const attack = possible ? it : it.skip;

let folder: string;
let sites: TestSites;
let coordinator: CoordinatorProcess;
let hostile: Material;
let before: number;
let honest = HOSTILE;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-hostile-peer-'));
  sites = await TestSites.make(8);
  hostile = await sites.certificate(HOSTILE);
  if (!possible) return;
  coordinator = await CoordinatorProcess.start({
    ...{ folder, spool: join(folder, 'spool'), size: SIZE, sites: 8 },
    ...{ tls: sites.server, ports: { control: 0, bulk: 0 } },
  });
  before = coordinator.memory;
});
afterAll(async () => {
  await sites.disconnect();
  if (possible) await coordinator.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** An honest site uploads over a line that takes a second for it, while the other one attacks. */
let upload: Promise<Uint8Array>;
let line: FaultProxy;
const payload = randomBytes(SIZE);
beforeEach(async () => {
  if (!possible) return;
  honest++;
  const { control, bulk } = coordinator.ports;
  line = await FaultProxy.start(bulk, { bytesPerSecond: 2e6 });
  const link = await sites.connect(honest, { control, bulk: line.port });
  upload = link.upload(await storedUpload(folder, honest, payload));
});
afterEach(async () => {
  if (!possible) return;
  await expect(upload).resolves.toHaveLength(64);
  await line.close();
  const path = committedPath(join(folder, 'spool'), { runId: RUN, round: 3, attempt: 0, site: honest });
  expect((await readFile(path)).equals(payload)).toBe(true);
  expect(coordinator.isAlive).toBe(true);
  expect(coordinator.memory - before).toBeLessThan(MEMORY);
});

/** A second in which the coordinator takes in what was sent. */
const quiet = (): Promise<void> => new Promise((done) => setTimeout(done, 1_000));

describe('a peer with a certificate and no manners (E1; needs the compiled programs and /proc)', () => {
  attack('sends what is no HTTP/2, or too much of it, to both servers', async () => {
    for (const port of [coordinator.ports.bulk, coordinator.ports.control])
      for (const [, bytes] of malformedStreams(new Dice(11))) await sendRaw(port, hostile, bytes);
    expect(coordinator.isAlive).toBe(true);
  });

  attack(
    'sends messages that grow a thousandfold when they are decompressed, or do not decompress',
    async () => {
      for (const [port, path] of [
        [coordinator.ports.bulk, PUT],
        [coordinator.ports.control, EXCHANGE],
      ] as const) {
        for (const [name, encoding, body] of compressedBombs(64 << 20)) {
          const made = session(port, hostile);
          const status = await call(made, path, encoding, body);
          made.destroy();
          expect([name, status]).toEqual([name, expect.not.stringMatching(/^0$/)]);
        }
      }
    },
  );

  attack('sends messages in frames of one byte', async () => {
    const peer = await stay(coordinator.ports.bulk, hostile, dribble(PUT, DRIBBLED));
    await quiet();
    const held = coordinator.memory - before;
    expect(peer.isClosed()).toBe(false);
    peer.leave();
    expect(held).toBeLessThan(MEMORY);
  });

  attack('opens a thousand streams: two are served', async () => {
    const peer = await stay(coordinator.ports.bulk, hostile, openCalls(PUT, 1_000));
    await until(() => peer.answers().filter((type) => type === RST_STREAM).length >= 998);
    peer.leave();
  });

  attack('opens a hundred connections: two stay', async () => {
    const open = (): ReturnType<typeof stay> => stay(coordinator.ports.bulk, hostile, openCalls(PUT, 1));
    const peers = await Promise.all(Array.from({ length: 100 }, open));
    await until(() => peers.filter((peer) => !peer.isClosed()).length <= 2);
    peers.forEach((peer) => peer.leave());
  });
});
