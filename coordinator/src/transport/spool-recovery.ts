/** What to do with files and rows that a crash left behind (docs/protocol.md, crash table). Run once at start-up. */
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { equalBytes, fromHex, hex } from '@regulon/shared/crypto';
import type { CommitRow, ExpectedUpload, SpoolContext } from './ports.js';
import { type AttemptRef, committedPath, partPath, publish, remove, rootOfFile } from './spool-files.js';
import { finishCommit } from './spool-session.js';

const QUARANTINE = 'quarantine';
const PART = /^[1-9][0-9]*\.([0-9a-f]{32})\.part$/;
const COMMITTED = /^([0-9a-f]{32})\/([0-9]+)-([0-9]+)\/[1-9][0-9]*\.ok$/;

/** What the recovery found; `lost` and `quarantined` need a decision or an alert. */
export interface SpoolRecovery {
  /** commits that were finished */
  readonly finished: CommitRow[];
  /** commits begun whose bytes are wrong: row and file were removed, the site sends again */
  readonly undone: CommitRow[];
  /** committed, but the file is missing or wrong: before U3 is fixed drop the upload, after it abort the attempt */
  readonly lost: CommitRow[];
  /** part files that a site may resume */
  readonly resumable: string[];
  /** files of attempts that are over, of which no row knows; removed */
  readonly removed: string[];
  /** files that nothing explains, moved to `quarantine/` */
  readonly quarantined: string[];
}

/**
 * Bring rows and files into agreement after a crash.
 *
 * @param isOver whether an attempt is known and has ended: nobody will ask for an upload of it that no row knows
 * @returns what was found, paths relative to the spool folder
 */
export async function recoverSpool(
  context: SpoolContext,
  isOver: (attempt: AttemptRef) => boolean,
): Promise<SpoolRecovery> {
  const found: SpoolRecovery = {
    finished: [],
    undone: [],
    lost: [],
    resumable: [],
    removed: [],
    quarantined: [],
  };
  await mkdir(context.folder, { recursive: true });
  const rows = await context.rows.open();
  for (const row of rows) await recoverRow(context, row, found);
  const explained = new Set([...found.finished, ...rows].map((row) => committedPath(context.folder, row)));
  found.undone.forEach((row) => explained.delete(committedPath(context.folder, row)));
  for (const path of await filesOf(context.folder)) {
    if (explained.has(path)) continue;
    const attempt = attemptOf(relative(context.folder, path));
    if (attempt && isOver(attempt)) await discard(context.folder, path, found);
    else await recoverFile(context, path, found);
  }
  return found;
}

async function recoverRow(context: SpoolContext, row: CommitRow, found: SpoolRecovery): Promise<void> {
  const [ok, part] = [committedPath(context.folder, row), partPath(context.folder, row, row.uploadId)];
  const right = (file: { size: number; root: Uint8Array } | undefined): boolean =>
    file !== undefined && file.size === row.size && equalBytes(file.root, row.root);
  const published = right(await rootOfFile(ok));
  if (row.state === 'committed') {
    if (!published) found.lost.push(row);
    return;
  }
  const expected = await context.book.expected(row.uploadId);
  if (expected !== undefined && (published || right(await rootOfFile(part)))) {
    if (!published) await publishPart(part, ok);
    await finishCommit(context, expected, row, ok);
    found.finished.push(row);
    return;
  }
  await Promise.all([remove(part), remove(ok)]);
  await context.rows.clear(row.uploadId);
  found.undone.push(row);
}

async function publishPart(part: string, ok: string): Promise<void> {
  const file = await open(part, 'r+');
  try {
    await publish(file, part, ok);
  } finally {
    await file.close();
  }
}

async function recoverFile(
  { book, folder }: SpoolContext,
  path: string,
  found: SpoolRecovery,
): Promise<void> {
  const name = relative(folder, path);
  const [, id] = PART.exec(basename(path)) ?? [];
  if (id === undefined) return quarantine(folder, name, found);
  const uploadId = fromHex(id);
  const expected = await book.expected(uploadId);
  if (expected !== undefined && isAt(folder, expected, uploadId, path)) found.resumable.push(name);
  else if (expected !== undefined) await quarantine(folder, name, found);
  else await discard(folder, path, found);
}

/** The attempt of a committed upload, by its path in the spool folder; undefined for other files. */
function attemptOf(name: string): AttemptRef | undefined {
  const [, run, round, attempt] = COMMITTED.exec(name) ?? [];
  return run === undefined
    ? undefined
    : { runId: fromHex(run), round: Number(round), attempt: Number(attempt) };
}

async function discard(folder: string, path: string, found: SpoolRecovery): Promise<void> {
  await remove(path);
  found.removed.push(relative(folder, path));
}

const isAt = (folder: string, expected: ExpectedUpload, uploadId: Uint8Array, path: string): boolean =>
  partPath(folder, expected, uploadId) === path;

async function quarantine(folder: string, name: string, found: SpoolRecovery): Promise<void> {
  const target = join(folder, QUARANTINE);
  await mkdir(target, { recursive: true });
  await rename(
    join(folder, name),
    join(target, `${hex(crypto.getRandomValues(new Uint8Array(4)))}-${basename(name)}`),
  );
  found.quarantined.push(name);
}

/** Files below the run folders, without those in quarantine. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).startsWith(QUARANTINE));
}
