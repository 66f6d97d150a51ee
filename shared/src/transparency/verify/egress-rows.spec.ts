import { describe, expect, it } from '@jest/globals';
import { type SampleLog, type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import type { BodyOf } from '../entries/kinds.js';
import { parseEntry } from '../entries/parse.js';
import { verifyBundle } from './verify-bundle.js';

const all = [1, 2, 3, 4, 5];
const other = `sha256:${'9'.repeat(64)}`;
const receiptsIn = (log: SampleLog): number[] =>
  log.entries.flatMap((bytes, index) => (parseEntry(bytes).kind === 'egress.receipt' ? [index] : []));

/** Row S2 of a run whose sites write receipts, and where in the log these stand. */
function rowOf(options: SampleOptions, after: (log: SampleLog) => void = () => undefined) {
  const log = sampleRun({ egress: all, ...options });
  after(log);
  const asOf = new Date(Date.UTC(2026, 10, 21));
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  const { status, note, evidence } = rules.find(({ id }) => id === 'S2') ?? rules[0] ?? raise();
  return { status, note, evidence, receipts: receiptsIn(log) };
}

const raise = (): never => {
  throw new Error('no row');
};

/** The run with fields of the receipt of site-2 in the first training round changed before it was signed. */
const spoiled = (fields: Partial<BodyOf<'egress.receipt'>>): SampleOptions => ({
  spoil: (kind, body, seen) => (kind === 'egress.receipt' && seen === 5 ? { ...body, ...fields } : body),
});

describe('row S2: what sites say that left them', () => {
  it('holds when every receipt is that of its upload', () => {
    const { status, note, receipts } = rowOf({});
    expect([status, note]).toEqual(['pass', '']);
    expect(receipts).toHaveLength(14);
  });

  it('says nothing of a log whose sites write none', () => {
    expect(rowOf({ egress: [] })).toMatchObject({ status: 'pass', note: '', receipts: [] });
  });

  it('names the uploads without receipt, ten at most', () => {
    const one = rowOf({ omit: (kind, seen) => kind === 'egress.receipt' && seen === 5 });
    expect(one.status).toBe('needs-human');
    expect(one.note).toMatch(/^uploads without egress.receipt: site-2 \(entry \d+\)$/);
    expect(rowOf({ egress: [1] }).note).toMatch(/(, site-\d \(entry \d+\)){9} and 1 more$/);
  });

  it.each([
    ['another vector', { digest: other }, /another upload/],
    ['another attempt', { context: other }, /another upload/],
    ['two vectors', { count: 2 }, /another upload/],
    ['another number of bytes', { bytes: 7 }, /number of bytes/],
    ['another policy', { rule: other }, /another policy/],
    ['a charge that was not made', { charge: 0 }, /another charge/],
    ['a kind that the policy does not name', { kind: 'raw-counts' }, /does not let out/],
  ])('fails for a receipt of %s', (_, fields, why) => {
    const { status, note, evidence, receipts } = rowOf(spoiled(fields));
    expect(status).toBe('fail');
    expect(evidence).toEqual([receipts[5]]);
    expect(note).toMatch(why);
    expect(note).toContain('site-2');
  });

  it('fails for a receipt without an upload before it', () => {
    const { evidence, note, receipts } = rowOf({
      omit: (kind, seen) => kind === 'round.contribution' && seen === 5,
    });
    expect(evidence).toContain(receipts[5]);
    expect(note).toContain('was not logged before it');
  });

  it('fails for a second receipt, and for one after the sum', () => {
    const { note, evidence, receipts } = rowOf({}, (log) => {
      const entry = parseEntry(log.entries[receiptsIn(log)[5] ?? 0] ?? new Uint8Array(0));
      if (entry.kind !== 'egress.receipt') throw new TypeError(entry.kind);
      const { run, round, attempt, body } = entry;
      log.write(['site', 'site-2'], 'egress.receipt', { run, round, attempt }, body);
    });
    expect(note).toContain('is a second one');
    expect(note).toContain('was written after the sum');
    expect(evidence).toEqual([receipts.at(-1)]);
  });

  it('names the charge of the contribution, where there is one', () => {
    const privacy = { cap: '3' };
    expect(rowOf({ privacy }).status).toBe('pass');
    const { note, evidence, receipts } = rowOf({ privacy, ...spoiled({ charge: null }) });
    expect(note).toContain('names another charge');
    expect(evidence).toEqual([receipts[5]]);
  });
});
