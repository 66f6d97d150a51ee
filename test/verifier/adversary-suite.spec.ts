import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type MaskedVectors, verifyBundle, type VerifyReport } from '@regulon/shared/transparency';
import { spoiled } from './bundles.js';
import { type Case, run } from './cases.js';
import { told } from './planted.js';

/** An attack of the table in docs/security-testing.md. */
interface Attack {
  readonly attack: string;
  readonly row: string;
  /** first entry that breaks the row, or `–` where none can be named */
  readonly entry: string;
  /** what the first line names: entry, kind and actor, or the whole log */
  readonly located: string;
}

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'security-testing.md'), 'utf8');
const section = page.split('\n## Adversary suite of the log\n')[1]?.split('\n## ')[0] ?? '';
const attacks: Attack[] = section
  .split('\n')
  .filter((line) => /^\| (?!-|attack )/.test(line))
  .map((line) => {
    const [attack = '', row = '', entry = '', located = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    return { attack, row, entry, located };
  });

function vectorsOf(masked: ReadonlyMap<string, Uint8Array>): MaskedVectors {
  return (_, { round, attempt, site }) => {
    const bytes = masked.get(`${round}-${attempt}/${site}`);
    return (
      bytes && { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) }
    );
  };
}

function judged({ masked, asOf = new Date(Date.UTC(2026, 10, 21)), ...given }: Case): VerifyReport {
  return verifyBundle({
    ...{ bundle: given.bundle, policy: given.policy, siteCheckpoints: given.siteCheckpoints ?? [], asOf },
    ...(masked && { maskedVectors: vectorsOf(masked) }),
  });
}

describe('the adversary suite of the log', () => {
  it('has a line of the table for each row that an attack can break', () => {
    // how a site draws its patients is not in the log: P3 asks a person, and never fails
    const rows = judged(run({})()).rules.flatMap(({ id }) => (id === 'P3' ? [] : [id]));
    expect([...new Set(attacks.map(({ row }) => row))].sort()).toEqual(rows.sort());
    expect(attacks.length).toBeGreaterThan(50);
  });

  it.each(attacks)('$attack: $row, $located', ({ attack, row, entry, located }) => {
    const make = spoiled[attack] ?? told[attack];
    if (make === undefined) throw new Error(`no bundle is made for the attack "${attack}"`);
    const { firstLine, rules } = judged(make());
    const broken = rules.find(({ id }) => id === row);
    const named = /^FAIL {2}(?:entry \d+ \(([^)]*)\), )?/.exec(firstLine)?.[0].slice(6).replace(/, $/, '');
    expect({
      status: broken?.status,
      entry: String(broken?.evidence[0] ?? '–'),
      located: named || 'the log',
    }).toEqual({ status: 'fail', entry, located });
  });
});
