import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { committedPath } from '@regulon/coordinator/transport';
import { uploadIdOf } from '@regulon/shared/wire';
import { CTX, H2, RUN } from '../support/transport/fake-coordinator.js';
import { tally } from '../support/tally.js';
import { lastingPorts } from '../support/transport/lasting-ports.js';
import { childCompiled, CoordinatorProcess } from './support/coordinator-process.js';
import type { ChildOptions } from './support/coordinator-child.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const SIZE = 600_000;
/** What happens to one upload, in this order. */
const deaths = [
  'after write',
  'before row',
  'after row',
  'before fsync',
  'after fsync',
  'before rename',
  'after rename',
  'before fsync of the folder',
  'after fsync of the folder',
  'before committed row',
  'after committed row',
  'after accepted',
];

let folder: string;
let sites: TestSites;
let options: ChildOptions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-deaths-'));
  sites = await TestSites.make(deaths.length);
  options = {
    ...{ folder, spool: join(folder, 'spool'), size: SIZE, sites: deaths.length },
    ...{ tls: sites.server, ports: await lastingPorts() },
  };
});
afterEach(async () => {
  await sites.disconnect();
  await rm(folder, { recursive: true });
});

describe('a coordinator that dies at every step of an upload (T4)', () => {
  (childCompiled ? it : it.skip)(
    'SIGKILL around write, row, fsync, rename and receipt: each upload ends with one receipt and all its bytes (needs the compiled programs)',
    async () => {
      const arm = (i: number) => {
        const killAt = deaths[i];
        return killAt === undefined ? {} : { site: i + 1, killAt };
      };
      let coordinator = await CoordinatorProcess.start(options, arm(0));
      const { ports } = coordinator;
      const receipts: Uint8Array[] = [];
      const vectors = deaths.map(() => randomBytes(SIZE));
      for (const [i, vector] of vectors.entries()) {
        const link = await sites.connect(i + 1, ports);
        const upload = link.upload(await storedUpload(folder, i + 1, vector));
        expect(await coordinator.end()).toBe('SIGKILL');
        coordinator = await CoordinatorProcess.start({ ...options, ports }, arm(i + 1));
        expect(coordinator.ready.recovered).toMatchObject({ lost: 0, undone: 0, quarantined: 0 });
        receipts.push(await upload);
      }
      for (const [i, vector] of vectors.entries()) {
        const link = await sites.connect(i + 1, ports);
        const status = await link.exchange({ type: 'uploadStatus', uploadId: uploadIdOf(CTX, H2, i + 1) });
        expect(status).toMatchObject({ state: 'committed', receipt: receipts[i] });
        const path = committedPath(options.spool, { runId: RUN, round: 3, attempt: 0, site: i + 1 });
        expect((await readFile(path)).equals(vector)).toBe(true);
        tally('processes killed', `upload ${deaths[i] ?? ''}`);
      }
      await coordinator.stop();
    },
  );
});
