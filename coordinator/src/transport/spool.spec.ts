import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { equalBytes, hex, randomBytes, rootOfBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { CommitRow, ExpectedUpload, SpoolContext, UploadBook, UploadSession } from './ports.js';
import { assertFreeSpace, committedPath, partPath } from './spool-files.js';
import { recoverSpool } from './spool-recovery.js';
import { SpoolUploads } from './spool.js';

const CHUNK = 256 * 1024;
const SIZE = CHUNK * 2 + 77;
const payload = randomBytes(SIZE);
const root = rootOfBytes(payload);
const uploadId = randomBytes(16);
const expected: ExpectedUpload = {
  site: 4,
  runId: randomBytes(16),
  round: 0,
  attempt: 1,
  ctx: randomBytes(32),
  size: SIZE,
};
const opening = { uploadId, leaseId: randomBytes(16) };
const receipt = randomBytes(64);

let folder: string;
let rows: Map<string, CommitRow>;
let strikes: string[];
let accepted: number;
/** the name of the step at which the process "dies" */
let dieAt: string | undefined;
let open: boolean;

const dies = (step: string): void => {
  if (dieAt === step) throw new Error(`died at ${step}`);
};
const book: UploadBook = {
  expected: (id) => (open && equalBytes(id, uploadId) ? expected : undefined),
  checkLease: () => 1,
  progress: () => undefined,
  verifyCommit: (_expected, message) => message,
  receipt: () => {
    dies('receipt');
    return receipt;
  },
  accepted: () => {
    dies('accepted');
    accepted++;
  },
  strike: (_expected, reason) => void strikes.push(reason),
  blob: () => undefined,
};
const makeContext = (): SpoolContext => ({
  folder,
  book,
  rows: {
    find: (id) => rows.get(hex(id)),
    committing: (row) => {
      dies('before the row');
      rows.set(hex(row.uploadId), { ...row, state: 'committing' });
      dies('after the row');
    },
    committed: (id, given) =>
      void rows.set(hex(id), { ...rows.get(hex(id))!, state: 'committed', receipt: given }),
    clear: (id) => void rows.delete(hex(id)),
    open: () => [...rows.values()],
  },
});
const send = async (session: UploadSession, to = SIZE): Promise<void> => {
  while (session.offset < to)
    await session.write(payload.subarray(session.offset, Math.min(session.offset + CHUNK, to)));
};
const okPath = (): string => committedPath(folder, { ...expected, site: 4 });
const pathOfPart = (): string => partPath(folder, expected, uploadId);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regulon-spool-'));
  rows = new Map();
  [strikes, accepted, dieAt, open] = [[], 0, undefined, true];
});
afterEach(() => rm(folder, { recursive: true }));

describe('spool', () => {
  it('resumes at the last whole chunk, with the right root', async () => {
    const first = await new SpoolUploads(makeContext()).open(4, opening);
    await send(first, CHUNK);
    await first.suspend();
    await writeFile(pathOfPart(), payload.subarray(0, CHUNK + 1000));
    const spool = new SpoolUploads(makeContext());
    expect(await spool.status(4, uploadId)).toMatchObject({ state: 'partial', nextOffset: CHUNK });
    const second = await spool.open(4, opening);
    expect(second.offset).toBe(CHUNK);
    await send(second);
    expect(await second.commit(root)).toEqual(receipt);
    expect(equalBytes(await readFile(okPath()), payload)).toBe(true);
    expect(await spool.status(4, uploadId)).toEqual({ state: 'committed', nextOffset: SIZE, receipt });
    expect(await spool.status(5, uploadId)).toMatchObject({ state: 'absent' });
  });

  it('throws away an upload whose stored bytes changed before the resume', async () => {
    const first = await new SpoolUploads(makeContext()).open(4, opening);
    await send(first, CHUNK);
    await first.suspend();
    await writeFile(pathOfPart(), randomBytes(CHUNK));
    const second = await new SpoolUploads(makeContext()).open(4, opening);
    await send(second);
    await expect(second.commit(root)).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
    expect(strikes).toHaveLength(1);
    await expect(stat(pathOfPart())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a commit before the last byte, another site, and an upload that nobody expects', async () => {
    const spool = new SpoolUploads(makeContext());
    const session = await spool.open(4, opening);
    await send(session, CHUNK);
    await expect(session.commit(root)).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
    await expect(spool.open(5, opening)).rejects.toMatchObject({ code: 'E_STATE' });
    open = false;
    await expect(spool.open(4, opening)).rejects.toMatchObject({ code: 'E_STATE' });
  });

  it('stops a site that sends its upload again and again', async () => {
    const spool = new SpoolUploads(makeContext());
    const again = async (): Promise<void> => {
      const session = await spool.open(4, opening);
      await send(session);
      await session.discard('for the test');
    };
    await again();
    await expect(again()).rejects.toMatchObject({ code: 'E_BUSY' });
    await spool.removeAttempt(expected);
    await again();
  });

  it('removes an attempt, also while a site is sending', async () => {
    const spool = new SpoolUploads(makeContext());
    const session = await spool.open(4, opening);
    await send(session, CHUNK);
    await spool.removeAttempt(expected);
    expect(session.signal.aborted).toBe(true);
    await expect(session.write(payload.subarray(0, 5))).rejects.toBeInstanceOf(RegulonError);
    expect(await spool.status(4, uploadId)).toMatchObject({ state: 'absent' });
  });

  it('names a disk without enough space before a round is opened', async () => {
    await assertFreeSpace(folder, 1000);
    await expect(assertFreeSpace(folder, 1e18)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
  });
});

describe('recovery after a crash', () => {
  const crashAt = async (step: string | undefined): Promise<void> => {
    dieAt = step;
    const session = await new SpoolUploads(makeContext()).open(4, opening);
    await send(session);
    await session.commit(root).catch((error: Error) => expect(error.message).toBe(`died at ${step}`));
    dieAt = undefined;
  };
  const recover = () => recoverSpool(makeContext(), ({ attempt }) => !open && attempt === expected.attempt);

  it.each(['after the row', 'receipt', 'accepted'])('finishes a commit that died at: %s', async (step) => {
    await crashAt(step);
    const found = await recover();
    expect(found.lost).toEqual([]);
    expect(rows.get(hex(uploadId))).toMatchObject({ state: 'committed', receipt });
    expect(equalBytes(await readFile(okPath()), payload)).toBe(true);
    expect(accepted + (step === 'accepted' ? 1 : 0)).toBe(1);
    expect(await recover()).toMatchObject({ finished: [], quarantined: [], removed: [], resumable: [] });
  });

  it('keeps a complete part file without a row: the site sends its commit again', async () => {
    await crashAt('before the row');
    expect((await recover()).resumable).toHaveLength(1);
    const session = await new SpoolUploads(makeContext()).open(4, opening);
    expect(session.offset).toBe(SIZE);
    expect(await session.commit(root)).toEqual(receipt);
  });

  it('undoes a commit whose file is wrong, and reports a committed file that is lost', async () => {
    await crashAt('after the row');
    await writeFile(pathOfPart(), randomBytes(SIZE));
    expect((await recover()).undone).toHaveLength(1);
    expect(rows.size).toBe(0);
    await crashAt(undefined);
    await writeFile(okPath(), randomBytes(SIZE));
    expect((await recover()).lost).toHaveLength(1);
  });

  it('removes part files of attempts that are over, and quarantines what nothing explains', async () => {
    const session = await new SpoolUploads(makeContext()).open(4, opening);
    await send(session, CHUNK);
    await session.suspend();
    await writeFile(join(dirname(okPath()), 'notes.txt'), 'not of the spool');
    open = false;
    const found = await recover();
    expect(found.removed).toHaveLength(1);
    expect(found.quarantined).toHaveLength(1);
    expect(await recover()).toMatchObject({ removed: [], quarantined: [] });
  });

  it('removes committed uploads of an attempt that is over once its rows are gone, and keeps them before', async () => {
    await crashAt(undefined);
    open = false;
    expect(await recover()).toMatchObject({ removed: [], lost: [], quarantined: [] });
    rows.clear();
    expect((await recover()).removed).toEqual([relative(folder, okPath())]);
    await expect(stat(okPath())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('quarantines a committed upload that no row knows while its attempt goes on, or nobody knows the attempt', async () => {
    const unknown = committedPath(folder, { ...expected, attempt: 2, site: 4 });
    for (const path of [okPath(), unknown]) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'no row');
    }
    expect((await recover()).quarantined).toHaveLength(2);
    await mkdir(dirname(unknown), { recursive: true });
    await writeFile(unknown, 'no row');
    open = false;
    expect(await recover()).toMatchObject({ removed: [], quarantined: [relative(folder, unknown)] });
  });
});
