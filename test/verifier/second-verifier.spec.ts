import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KeptBlobFolder } from '@regulon/cli/audit';
import { RegulonError } from '@regulon/shared/errors';
import { type MaskedVectors, verifyBundle } from '@regulon/shared/transparency';
import { sample } from '@regulon/shared/transparency-samples';
import { hasPython, python, SecondVerifier } from '../support/second-verifier.js';
import { good, spoiled } from './bundles.js';
import type { Case } from './cases.js';

/** Rows that the second verifier implements. */
const ROWS = [
  ...(['L1', 'L2', 'L3', 'L4', 'L5', 'A1', 'A2', 'A3', 'A4', 'S1', 'S2', 'S3', 'S4'] as const),
  ...(['P1', 'P2', 'P3', 'P4', 'D1', 'D2', 'R1', 'R2', 'X1'] as const),
];
const AS_OF = new Date(Date.UTC(2026, 10, 21));
const second = hasPython ? describe : describe.skip;

/** Verdict and, of each row that fails, its first wrong entry (`log` when none can be named). */
interface Verdict {
  readonly status: string;
  readonly first: Readonly<Record<string, string>>;
  /** what L2 says of the witnesses and S3 of level 2, of rows that do not fail */
  readonly says: Readonly<Record<string, string>>;
  /** whether row P3 asks a person */
  readonly asksP3: boolean;
}

let folder: string;
let verifier: SecondVerifier;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-verifier-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function byPython(made: Case): Promise<Verdict> {
  const { bundle, policy, siteCheckpoints = [], asOf = AS_OF, kept, masked } = made;
  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const args = ['--bundle', file('bundle.zip', bundle), '--policy', file('quorum.policy', policy)];
  const notes = siteCheckpoints.map((note, i) => file(`${i}.note`, note));
  if (kept) args.push('--kept', keptFolder(kept));
  if (masked) args.push('--masked-vectors', spoolOf(masked));
  args.push('--as-of', asOf.toISOString(), '--site-checkpoints', ...notes);
  const answer = await verifier.judge(args);
  const first: Record<string, string> = {};
  for (const row of ROWS) {
    const found = answer.rows[row] ?? [];
    if (found.length > 0) first[row] = firstOf(found.filter((index) => index !== null));
  }
  return { status: answer.status, first, says: answer.says, asksP3: answer.asks.includes('P3') };
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

/** Write masked vectors as the second verifier reads them: a folder of the run, of the attempt, a file a site. */
function spoolOf(masked: ReadonlyMap<string, Uint8Array>): string {
  const spool = mkdtempSync(join(folder, 'masked-'));
  for (const [key, bytes] of masked) {
    const path = join(spool, sample.run, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return spool;
}

function vectorsOf(masked: ReadonlyMap<string, Uint8Array>): MaskedVectors {
  return (_, { round, attempt, site }) => {
    const bytes = masked.get(`${round}-${attempt}/${site}`);
    return (
      bytes && { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) }
    );
  };
}

function byRegulon({ bundle, policy, siteCheckpoints = [], asOf = AS_OF, kept, masked }: Case): Verdict {
  const blobs = kept && new KeptBlobFolder(keptFolder(kept));
  try {
    const report = verifyBundle({
      ...{ bundle, policy, siteCheckpoints, asOf },
      ...(blobs && { keptBlobs: blobs.of }),
      ...(masked && { maskedVectors: vectorsOf(masked) }),
    });
    const first: Record<string, string> = {};
    for (const row of ROWS) {
      const rule = report.rules.find(({ id }) => id === row);
      if (rule?.status === 'fail') first[row] = firstOf(rule.evidence);
    }
    const p3 = report.rules.find(({ id }) => id === 'P3');
    const said = [
      ...(report.gateMode === 'cosigned' ? ['L2'] : []),
      ...(kept !== undefined || masked !== undefined ? ['S3'] : []),
    ];
    const rules = report.rules.filter(({ id, status }) => said.includes(id) && status !== 'fail');
    // behind what both say stands what a person must judge, or what was pruned
    const says = Object.fromEntries(rules.map(({ id, note }) => [id, note.replace(/; .*/su, '')]));
    return { status: report.status, first, says, asksP3: p3?.status === 'needs-human' };
  } catch (error) {
    if (error instanceof RegulonError && error.code === 'E_BUNDLE')
      return { status: 'unusable', first: {}, says: {}, asksP3: false };
    throw error;
  } finally {
    blobs?.close();
  }
}

const firstOf = (indexes: readonly number[]): string =>
  indexes.length === 0 ? 'log' : `entry ${Math.min(...indexes)}`;

second(`the verifier in Python (needs ${python} with the package cryptography)`, () => {
  beforeAll(() => {
    verifier = new SecondVerifier();
  });
  afterAll(() => {
    verifier.end();
  });

  it.each(Object.entries(good))('passes %s', async (_, make) => {
    const made = make();
    const verdict = await byPython(made);
    expect(verdict).toMatchObject({ status: 'pass', first: {} });
    expect(verdict).toEqual(byRegulon(made));
  });

  it.each(Object.entries(spoiled))('agrees on the first wrong entry of each row: %s', async (_, make) => {
    const made = make();
    const verdict = await byPython(made);
    expect(verdict.status).not.toBe('pass');
    expect(verdict).toEqual(byRegulon(made));
  });
});
