import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { uploadIdOf } from '@regulon/shared/wire';
import { committedPath } from '@regulon/coordinator/transport';
import { CTX, H2, RUN } from '../support/transport/fake-coordinator.js';
import { lastingPorts } from '../support/transport/lasting-ports.js';
import { childCompiled, CoordinatorProcess } from './support/coordinator-process.js';
import type { ChildOptions } from './support/coordinator-child.js';
import { storedUpload, TestSites } from './support/test-sites.js';

const SIZE = 3 << 20;
const small = mkdtempSync(join(tmpdir(), 'regulon-small-disk-'));
const succeeds = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const mounted = childCompiled && succeeds('mount', '-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', small);
const traces = childCompiled && succeeds('strace', '-f', '-o', '/dev/null', '-e', 'trace=fsync', 'true');
afterAll(() => {
  if (mounted) succeeds('umount', small);
  rmSync(small, { recursive: true, force: true });
});

let folder: string;
let sites: TestSites;
let options: ChildOptions;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-disk-'));
  sites = await TestSites.make(3);
  options = {
    ...{ folder, spool: join(folder, 'spool'), size: SIZE, sites: 3 },
    ...{ tls: sites.server, ports: await lastingPorts() },
  };
});
afterEach(async () => {
  await sites.disconnect();
  rmSync(folder, { recursive: true, force: true });
});

const attempt = { runId: RUN, round: 3, attempt: 0 };
const spooled = (site: number): Promise<Buffer> =>
  readFile(committedPath(options.spool, { ...attempt, site }));

describe('a disk that fails under the spool (T5)', () => {
  (mounted ? it : it.skip)(
    'full: the upload is refused by name, the others are untouched, and with room again it succeeds (needs the compiled programs and the right to mount a tmpfs)',
    async () => {
      options = { ...options, spool: join(small, 'spool') };
      mkdirSync(options.spool);
      const coordinator = await CoordinatorProcess.start(options);
      const vectors = [randomBytes(SIZE), randomBytes(SIZE)] as const;
      const first = await sites.connect(1, coordinator.ports);
      const receipt = await first.upload(await storedUpload(folder, 1, vectors[0]));
      const second = await sites.connect(2, coordinator.ports);
      const job = await storedUpload(folder, 2, vectors[1]);
      await expect(second.upload(job)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
      expect((await spooled(1)).equals(vectors[0])).toBe(true);
      expect(await first.upload(await storedUpload(folder, 1, vectors[0]))).toEqual(receipt);
      expect(succeeds('mount', '-o', 'remount,size=16m', small)).toBe(true);
      await second.upload(job);
      expect((await spooled(2)).equals(vectors[1])).toBe(true);
      expect(coordinator.isAlive).toBe(true);
      await coordinator.stop();
    },
  );

  (traces ? it : it.skip)(
    'EIO from fsync: no receipt for what may not be on disk; the same upload is committed after a restart (needs the compiled programs and strace)',
    async () => {
      const id = hex(uploadIdOf(CTX, H2, 1));
      const part = join(options.spool, hex(RUN), '3-0', `1.${id}.part`);
      const inject = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO'];
      const tracer = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', part, ...inject];
      const failing = await CoordinatorProcess.start(options, {}, tracer);
      const vectors = [randomBytes(SIZE), randomBytes(SIZE)] as const;
      const [first, second] = await Promise.all([1, 2].map((site) => sites.connect(site, failing.ports)));
      const job = await storedUpload(folder, 1, vectors[0]);
      await expect(first?.upload(job)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
      const uploadId = uploadIdOf(CTX, H2, 1);
      const status = await first?.exchange({ type: 'uploadStatus', uploadId });
      expect(status).toMatchObject({ receipt: new Uint8Array(0) });
      await second?.upload(await storedUpload(folder, 2, vectors[1]));
      await failing.stop();
      const mended = await CoordinatorProcess.start({ ...options, ports: failing.ports });
      expect(mended.ready.recovered).toMatchObject({ finished: 1, lost: 0 });
      await first?.upload(job);
      expect((await spooled(1)).equals(vectors[0])).toBe(true);
      expect((await spooled(2)).equals(vectors[1])).toBe(true);
      await mended.stop();
    },
  );
});
