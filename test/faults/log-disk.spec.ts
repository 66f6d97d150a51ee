import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hex, sha256 } from '@regulon/shared/crypto';
import { effort, TIMEOUT_MS } from '../security/support/effort.js';
import type { LogChildLine } from './support/log-child.js';

const program = fileURLToPath(new URL('../../test/dist/faults/support/log-child.js', import.meta.url));
const compiled = existsSync(program);
const succeeds = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const traces = compiled && succeeds('strace', '-f', '-o', '/dev/null', '-e', 'trace=fsync', 'true');

const base = mkdtempSync(join(tmpdir(), 'regulon-log-disk-'));
const small = join(base, 'small');
const mounted =
  compiled && succeeds('mkdir', small) && succeeds('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small);
afterAll(() => {
  if (mounted) succeeds('umount', small);
  rmSync(base, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly lines: readonly LogChildLine[];
}

/** `log-child.ts` over a folder. @param before words that come before Node, such as a tracer's */
function fill(folder: string, before: readonly string[] = []): Ended {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program, folder];
  const [command = '', ...args] = [...before, ...node];
  // one thread for files, so that a tracer's n-th call is the log's n-th
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const { status, stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code: status, lines: lines.map((line) => JSON.parse(line) as LogChildLine) };
}

/** Path and digest of every file of the log. */
function filesOf(folder: string): string[] {
  const all = readdirSync(join(folder, 'log'), { recursive: true, withFileTypes: true });
  const files = all.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name));
  return files.sort().map((path) => `${relative(folder, path)} ${hex(sha256(readFileSync(path)))}`);
}

const said = ({ lines }: Ended): LogChildLine[] => lines.filter((line) => !('refused' in line));
const taken = ({ lines }: Ended): LogChildLine[] => lines.filter((line) => 'taken' in line);
const refusal = ({ lines }: Ended): string | undefined =>
  lines.map((line) => ('refused' in line ? line.refused : undefined)).find(Boolean);

describe('a disk that fails under the log (needs the compiled programs)', () => {
  let calm: Ended;
  let files: string[];
  beforeAll(() => {
    if (!compiled) return;
    const folder = mkdtempSync(join(base, 'calm-'));
    calm = fill(folder);
    files = filesOf(folder);
  });

  /** What was answered holds, and on a sound disk the log goes on to where an undisturbed one is. */
  function expectSound(folder: string, failed: Ended): void {
    expect(said(calm)).toEqual(expect.arrayContaining(said(failed)));
    const resumed = fill(folder);
    expect(resumed.code).toBe(0);
    expect(taken(resumed)).toEqual(taken(calm));
    expect(resumed.lines.at(-1)).toEqual(calm.lines.at(-1));
    const found = filesOf(folder);
    expect(files).toEqual(expect.arrayContaining(found));
    // a checkpoint that was never published has no partial tiles
    expect(found).toEqual(expect.arrayContaining(files.filter((line) => !/[.]p[/][23] /.test(line))));
  }

  (traces ? it : it.skip)(
    'EIO from the n-th fsync: the process ends, says why, and nothing that it answered is lost (needs strace)',
    () => {
      const failed = { database: 0, files: 0 };
      for (let n = 1, injected = true; injected; n += effort(9, 1)) {
        const folder = mkdtempSync(join(base, `eio-${n}-`));
        const trace = `${folder}.trace`;
        const inject = `inject=fsync,fdatasync:error=EIO:when=${n}`;
        const tracer = [
          'strace',
          '-f',
          '-qq',
          '-y',
          '-o',
          trace,
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          inject,
        ];
        const ended = fill(folder, tracer);
        const at = readFileSync(trace, 'utf8')
          .split('\n')
          .find((line) => line.includes('INJECTED'));
        injected = at !== undefined;
        if (at?.includes('state.db')) failed.database += 1;
        else if (injected) failed.files += 1;
        expect([n, ended.code, refusal(ended)]).toEqual([
          n,
          injected ? 1 : 0,
          injected
            ? expect.stringMatching(/^(E_STATE_DB|SQLITE_IOERR_FSYNC|SQLITE_IOERR_DIR_FSYNC)$/)
            : undefined,
        ]);
        expectSound(folder, ended);
      }
      expect(failed.database).toBeGreaterThan(1);
      expect(failed.files).toBeGreaterThan(1);
    },
    2 * TIMEOUT_MS,
  );

  (mounted ? it : it.skip)(
    'ENOSPC at any point: the process ends, says why, and goes on when there is room (needs the right to mount a tmpfs)',
    () => {
      const refused = new Set<string>();
      for (let room = 20; room < 600; room += effort(180, 10)) {
        const folder = mkdtempSync(join(small, 'log-'));
        const { bavail, bsize } = statfsSync(small);
        const ballast = join(small, 'ballast');
        writeFileSync(ballast, new Uint8Array(bavail * bsize - room * 1024));
        const failed = fill(folder);
        const code = refusal(failed);
        if (code !== undefined) refused.add(code);
        expect(failed.code).toBe(code === undefined ? 0 : 1);
        rmSync(ballast);
        expectSound(folder, failed);
        rmSync(folder, { recursive: true });
      }
      const full = ['E_DISK_FULL', 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'];
      expect(full).toEqual(expect.arrayContaining([...refused]));
      expect(refused.size).toBeGreaterThan(0);
    },
    2 * TIMEOUT_MS,
  );
});
