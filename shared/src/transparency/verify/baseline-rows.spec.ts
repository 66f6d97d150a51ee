import { describe, expect, it } from '@jest/globals';
import {
  exceptedRun,
  noRoot,
  type SampleLog,
  type SampleOptions,
  sampleRun,
  type SpoiledBaseline,
  writeBaseline,
} from '../../transparency-samples/index.js';
import { utf8 } from '../../crypto/index.js';
import { parseEntry } from '../entries/parse.js';
import { attachmentOf } from '../entries/attachments.js';
import { verifyBundle } from './verify-bundle.js';

const four = ['site-1', 'site-2', 'site-3', 'site-4'];

/** The rows that fail, with the first entry, and what L5 says. */
function judged(log: SampleLog): { failed: unknown[]; note: string } {
  const asOf = new Date(Date.UTC(2026, 10, 21));
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  const failed = rules.flatMap(({ id, status, evidence }) => (status === 'fail' ? [[id, evidence[0]]] : []));
  return { failed, note: rules.find(({ id }) => id === 'L5')?.note ?? '' };
}

const written = (spoil: SpoiledBaseline, options: SampleOptions = {}): ReturnType<typeof judged> => {
  const log = sampleRun(options);
  writeBaseline(log, four, spoil);
  return judged(log);
};

describe('rows L5 and P2: baselines', () => {
  it('hold when coordinator and sites say what the entries give, and the row says how many signed', () => {
    expect(written({})).toEqual({
      failed: [],
      note: 'the first 256 entries in short, signed by 4 sites of 4 needed',
    });
  });

  it.each([
    ['another root', { body: { root: noRoot } }],
    ['more entries than there were', { body: { size: 512 } }],
    ['a policy fewer', { state: (s) => ({ ...s, repeated: s.repeated.filter(({ index }) => index !== 3) }) }],
    ['another head', { state: (s) => ({ ...s, heads: s.heads.map((h) => ({ ...h, seq: h.seq + 1 })) }) }],
    ['another chain', { state: (s) => ({ ...s, chain: noRoot }) }],
    [
      "a ledger that is not the log's, and another chain",
      { state: (s) => ({ ...s, chain: noRoot, ledgers: [1] }) },
    ],
    ['what is no baseline', { state: () => ({}) }],
  ] as [string, SpoiledBaseline][])('fail L5 for %s, at who signed it first', (_, spoil) => {
    expect(written(spoil).failed).toEqual([['L5', 256]]);
  });

  it('repeat exceptions from policies and the terms of datasets: without one the state is another', () => {
    const said: string[] = [];
    const without = (kind: string): SpoiledBaseline => ({
      state: (s) => ({
        ...s,
        repeated: s.repeated.filter(({ entry }) => {
          const { body, ...read } = parseEntry(Buffer.from(entry, 'base64'));
          if (read.kind === kind) said.push(...('dataUse' in body ? [String(body.dataUse)] : [read.kind]));
          return read.kind !== kind;
        }),
      }),
    });
    const excepted = exceptedRun({});
    expect(written({}, excepted).failed).toEqual([]);
    expect(written(without('policy.override'), excepted).failed).toEqual([['L5', 256]]);
    expect(written(without('dataset.commit'), excepted).failed).toEqual([['L5', 256]]);
    expect(said).toEqual(['policy.override', ...Array.from({ length: 5 }, () => 'DUO:0000042')]);
  });

  it('fail L5 when their state is gone, or no JSON', () => {
    const gone = attachmentOf(utf8('gone'), 'application/json');
    expect(written({ body: { state: gone } }).failed).toContainEqual(['L5', 256]);
    const log = sampleRun();
    writeBaseline(log, four, { body: { state: log.attach(utf8('{'), 'application/json') } });
    expect(judged(log).failed).toContainEqual(['L5', 256]);
    expect(judged(log).note).toContain('is not what the entries before it give');
  });

  it('are not judged over an entry that nobody can read', () => {
    const log = sampleRun();
    writeBaseline(log, four, { body: { root: noRoot } });
    log.entries[5] = utf8('{}');
    expect(judged(log).failed).not.toContainEqual(['L5', 256]);
  });

  it('fail P2 for other totals of privacy', () => {
    const privacy: SampleOptions = { privacy: { cap: '100' } };
    expect(written({}, privacy).failed).toEqual([]);
    const less: SpoiledBaseline = {
      state: (s) => ({ ...s, ledgers: s.ledgers.map((l) => ({ ...l, after: '0.1' })) }),
    };
    expect(written(less, privacy).failed).toEqual([['P2', 256]]);
  });

  it('fail L5 for one that the coordinator did not propose', () => {
    const log = sampleRun();
    log.entries.splice(writeBaseline(log, ['site-2']), 1);
    expect(judged(log).failed).toEqual([['L5', 256]]);
  });

  it('fail L5 for one while a run is under way', () => {
    const log = sampleRun({ omit: (kind) => kind === 'run.finish' });
    expect(() => writeBaseline(log, four)).toThrow(expect.objectContaining({ code: 'E_STATE' }));
    const body = { size: 256, root: noRoot, state: log.attach(utf8('{}'), 'application/json') };
    log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body);
    expect(judged(log)).toEqual({ failed: [['L5', 256]], note: 'a baseline while a run was under way' });
  });
});
