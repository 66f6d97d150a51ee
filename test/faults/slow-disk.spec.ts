import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { childCompiled, CoordinatorProcess } from './support/coordinator-process.js';
import { storedUpload, TestSites } from './support/test-sites.js';

/** REGULON_FAULTS=long takes uploads of 80 MB. */
const SIZE = (process.env['REGULON_FAULTS'] === 'long' ? 80 : 32) * 1_000_000;
const UPLOADS = 4;
/** Of all running uploads together. */
const WINDOWS = 32 << 20;
/** What a stream may hold besides its window: a message at each end, TLS records, buffers that wait for a collection. */
const SLACK = 64 << 20;
const LOOK_MS = 100;
const STILL = 10;

let folder: string;
let sites: TestSites;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-slow-'));
  sites = await TestSites.make(UPLOADS);
});
afterEach(async () => {
  await sites.disconnect();
  rmSync(folder, { recursive: true, force: true });
});

/** Wait until a number has not changed for a second. @returns the largest memory seen meanwhile */
async function stands(progress: () => number, memory: () => number): Promise<number> {
  let [last, same, most] = [-1, 0, 0];
  while (same < STILL) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
    most = Math.max(most, memory());
    same = progress() === last && last > 0 ? same + 1 : 0;
    last = progress();
  }
  return most;
}

describe('a disk that takes nothing (T10)', () => {
  (childCompiled && existsSync('/proc/self/status') ? it : it.skip)(
    'stops the senders, not the coordinator: it holds no more than the windows, and all uploads end (needs the compiled programs and /proc)',
    async () => {
      const gate = join(folder, 'gate');
      const coordinator = await CoordinatorProcess.start(
        {
          ...{ folder, spool: join(folder, 'spool'), size: SIZE, sites: UPLOADS },
          ...{ tls: sites.server, ports: { control: 0, bulk: 0 } },
        },
        { gate },
      );
      writeFileSync(gate, '');
      const before = coordinator.memory;
      const sent = Array.from({ length: UPLOADS }, () => 0);
      const uploads = sent.map(async (_, i) => {
        const link = await sites.connect(i + 1, coordinator.ports);
        const job = await storedUpload(folder, i + 1, randomBytes(SIZE));
        return link.upload({ ...job, onProgress: (bytes) => (sent[i] = bytes) });
      });
      const total = (): number => sent.reduce((sum, bytes) => sum + bytes, 0);
      const most = await stands(total, () => coordinator.memory);
      expect(total()).toBeLessThan(UPLOADS * SIZE);
      expect(most - before).toBeLessThan(WINDOWS + SLACK);
      rmSync(gate);
      const receipts = await Promise.all(uploads);
      expect(receipts.map(({ length }) => length)).toEqual(sent.map(() => 64));
      await coordinator.stop();
    },
    300_000,
  );
});
