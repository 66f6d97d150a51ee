import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RegulonError } from '@regulon/shared/errors';
import { keepStatements } from '@regulon/shared/sqlite';
import { guarded } from './database.js';
import { privateFolder } from '../enrol/index.js';

/** Paths inside a state folder. */
export interface StatePaths {
  readonly folder: string;
  readonly database: string;
  /** held while a daemon runs; the kernel releases it when the process dies */
  readonly lock: string;
  /** outside the database and MUST NOT be in its backups: sealing key and counter */
  readonly anchor: string;
  /** files of live runs, removed when a run ends */
  readonly runs: string;
}

/**
 * Open a state folder that belongs to one process.
 *
 * @throws E_KEY_FILE when others may enter it; E_STATE_LOCKED when another daemon uses it
 */
export function openStateFolder(folder: string): { paths: StatePaths; release: () => void } {
  const anchor = join(folder, 'anchor');
  const runs = join(folder, 'runs');
  [folder, anchor, runs].forEach(privateFolder);
  const lock = join(folder, 'lock.sqlite');
  const paths = { folder, anchor, runs, lock, database: join(folder, 'daemon.sqlite') };
  return { paths, release: takeLock(lock) };
}

const EVIDENCE = /^evidence-(close-|refusal-)?\d+-\d+\.json$/;

/**
 * What a file of evidence is about: a sum that is not that of the uploads, a close that does not recompute, or messages
 * that failed a check.
 */
export type EvidenceKind = 'sum' | 'close' | 'refusal';

/** File in the folder of a run with what shows that the coordinator lied; it stays when the run ends. */
export const evidenceName = (round: number, attempt: number, kind: EvidenceKind = 'sum'): string =>
  `evidence-${kind === 'sum' ? '' : `${kind}-`}${round}-${attempt}.json`;

/**
 * Write evidence for its readers at this site.
 *
 * @returns its path
 * @throws E_DISK_FULL
 */
export function writeEvidence(folder: string, name: string, content: object): string {
  const path = join(folder, name);
  const text = `${JSON.stringify(content)}\n`;
  guarded('evidence against the coordinator', () => writeFileSync(path, text, { mode: 0o600, flush: true }));
  return path;
}

/** Remove every file of a run, but not the evidence against its coordinator. */
export function removeRunFiles(paths: StatePaths, run: string): void {
  const folder = join(paths.runs, run);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names) {
    if (!EVIDENCE.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  if (!names.some((name) => EVIDENCE.test(name))) rmSync(folder, { recursive: true, force: true });
}

/** Remove what runs that are no longer live have left: a process may end between the end of a run and its clean-up. */
export function removeEndedRuns(paths: StatePaths, live: readonly string[]): void {
  // beside the folders of runs lies the cache of the dataset, which outlives them
  const ended = readdirSync(paths.runs).filter((name) => name.startsWith('run_') && !live.includes(name));
  ended.forEach((run) => removeRunFiles(paths, run));
}

function takeLock(path: string): () => void {
  const holder = keepStatements(new Database(path, { timeout: 0 }));
  try {
    holder.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    holder.close();
    throw new RegulonError('E_STATE_LOCKED', `${path} is held by another daemon`, { cause });
  }
  return () => holder.close();
}
