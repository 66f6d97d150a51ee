import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeptBlobFolder } from '@regulon/cli/audit';
import { RegulonError } from '@regulon/shared/errors';
import { verifyBundle } from '@regulon/shared/transparency';
import { good, spoiled } from './bundles.js';
import type { Case } from './cases.js';

/** Rows that the second verifier implements. */
const ROWS = [
  'L1',
  'L2',
  'L3',
  'L4',
  'L5',
  'A1',
  'S1',
  'S2',
  'S3',
  'P1',
  'P2',
  'P4',
  'R1',
  'R2',
  'X1',
] as const;
const AS_OF = new Date(Date.UTC(2026, 10, 21));
const program = join(import.meta.dirname, 'verify.py');
const python = process.env['REGULON_PYTHON'] ?? 'python3';
const hasPython = spawnSync(python, ['-c', 'import cryptography']).status === 0;
const second = hasPython ? describe : describe.skip;

/** Verdict and, of each row that fails, its first wrong entry (`log` when none can be named). */
interface Verdict {
  readonly status: string;
  readonly first: Readonly<Record<string, string>>;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-verifier-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function byPython({ bundle, policy, siteCheckpoints = [], asOf = AS_OF, kept }: Case): Verdict {
  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const args = ['--bundle', file('bundle.zip', bundle), '--policy', file('quorum.policy', policy)];
  const notes = siteCheckpoints.map((note, i) => file(`${i}.note`, note));
  if (kept) args.push('--kept', keptFolder(kept));
  const { stdout, stderr } = spawnSync(
    python,
    ['-B', program, ...args, '--as-of', asOf.toISOString(), '--site-checkpoints', ...notes],
    { encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  const answer = JSON.parse(stdout) as { status: string; rows: Record<string, (number | null)[]> };
  const first: Record<string, string> = {};
  for (const row of ROWS) {
    const found = answer.rows[row] ?? [];
    if (found.length > 0) first[row] = firstOf(found.filter((index) => index !== null));
  }
  return { status: answer.status, first };
}

/** A folder as the coordinator's blobs lie. */
function keptFolder(kept: ReadonlyMap<string, Uint8Array>): string {
  const blobs = mkdtempSync(join(folder, 'kept-'));
  for (const [digest, bytes] of kept) {
    const name = digest.slice('sha256:'.length);
    mkdirSync(join(blobs, name.slice(0, 2)), { recursive: true });
    writeFileSync(join(blobs, name.slice(0, 2), name), bytes);
  }
  return blobs;
}

function byRegulon({ bundle, policy, siteCheckpoints = [], asOf = AS_OF, kept }: Case): Verdict {
  const blobs = kept && new KeptBlobFolder(keptFolder(kept));
  try {
    const keptBlobs = blobs ? { keptBlobs: blobs.of } : {};
    const report = verifyBundle({ bundle, policy, siteCheckpoints, asOf, ...keptBlobs });
    const first: Record<string, string> = {};
    for (const row of ROWS) {
      const rule = report.rules.find(({ id }) => id === row);
      if (rule?.status === 'fail') first[row] = firstOf(rule.evidence);
    }
    return { status: report.status, first };
  } catch (error) {
    if (error instanceof RegulonError && error.code === 'E_BUNDLE') return { status: 'unusable', first: {} };
    throw error;
  } finally {
    blobs?.close();
  }
}

const firstOf = (indexes: readonly number[]): string =>
  indexes.length === 0 ? 'log' : `entry ${Math.min(...indexes)}`;

second(`the verifier in Python (needs ${python} with the package cryptography)`, () => {
  it.each(Object.entries(good))('passes %s', (_, make) => {
    const made = make();
    expect(byPython(made)).toEqual({ status: 'pass', first: {} });
    expect(byRegulon(made)).toEqual({ status: 'pass', first: {} });
  });

  it.each(Object.entries(spoiled))('agrees on the first wrong entry of each row: %s', (_, make) => {
    const made = make();
    const verdict = byPython(made);
    expect(verdict.status).not.toBe('pass');
    expect(verdict).toEqual(byRegulon(made));
  });
});
