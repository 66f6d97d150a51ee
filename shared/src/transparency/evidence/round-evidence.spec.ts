import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '../../crypto/index.js';
import { hashOfAnswer } from '../../secagg/index.js';
import { makeCohort, runUntil } from '../../secagg/secagg.support.js';
import { rootOfBytes } from '../../crypto/index.js';
import {
  encodeConsistencySignatures,
  encodeRoundEvidence,
  parseConsistencySignatures,
  parseRoundEvidence,
  type RoundEvidence,
  roundEvidenceOf,
} from './round-evidence.js';
import { deriveRound } from './verify-evidence.js';

const cohort = makeCohort(6);
const state = runUntil(cohort, 'r4', { r2: [60] });
const { server, clients, uploads } = state;
const keys = server.closeU1();
const of = <T>(ids: readonly number[], make: (id: number) => T | undefined): T[] =>
  ids.flatMap((id) => make(id) ?? []);
const answered = server.u3;
const evidence: RoundEvidence = roundEvidenceOf({
  advertised: [...keys].reverse(),
  shares: of(server.u2, (id) => clients.get(id)?.shareKeys(keys)),
  commits: of(server.u3, (id) =>
    clients.get(id)?.commit(rootOfBytes(uploads.get(id) ?? new Uint8Array(0)), 702),
  ),
  consistency: server.signatures(),
  answers: of(answered, (id) => clients.get(id)?.unmask(server.signatures())),
  responders: answered,
});

function complaints(changed: Partial<RoundEvidence>, uncounted: number[] = []): string[] {
  const list: string[] = [];
  const input = {
    manifest: cohort.manifest,
    roster: cohort.roster,
    evidence: { ...evidence, ...changed },
    uncounted: new Set(uncounted),
  };
  deriveRound(input, (rule, note) => list.push(`${rule} ${note}`));
  return list;
}

describe('round evidence', () => {
  it('reads back what it wrote, in one canonical form', () => {
    const bytes = encodeRoundEvidence(evidence);
    expect(parseRoundEvidence(bytes)).toEqual(evidence);
    expect(hex(encodeRoundEvidence(parseRoundEvidence(bytes)))).toBe(hex(bytes));
    const signatures = encodeConsistencySignatures(server.signatures());
    expect(parseConsistencySignatures(signatures)).toEqual(server.signatures());
    expect(() => parseRoundEvidence(signatures)).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
  });

  it('refuses what is cut, longer or unsorted', () => {
    const bytes = encodeRoundEvidence(evidence);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(() => parseRoundEvidence(bytes.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'E_MESSAGE' }),
        );
      }),
      { numRuns: 50 },
    );
    expect(() => parseRoundEvidence(Buffer.concat([bytes, Buffer.of(0)]))).toThrow();
    const unsorted = encodeRoundEvidence({ ...evidence, responders: [20, 10] });
    expect(() => parseRoundEvidence(unsorted)).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
    const many = encodeRoundEvidence({ ...evidence, responders: Array.from({ length: 256 }, (_, i) => i) });
    expect(() => parseRoundEvidence(many)).toThrow();
  });

  it('gives the sets and hashes of the machine that ran the round', () => {
    const input = {
      manifest: cohort.manifest,
      roster: cohort.roster,
      evidence,
      uncounted: new Set<number>(),
    };
    const derived = deriveRound(input, (rule, note) => {
      throw new Error(`${rule} ${note}`);
    });
    expect(derived).toMatchObject({
      u1: server.u1,
      u2: server.u2,
      u3: server.u3,
      h1: server.h1,
      h2: server.h2,
      h3: server.h3,
    });
    expect(derived.thresholds).toEqual(server.thresholds);
    const [first] = evidence.answers;
    expect(derived.answers.get(10)).toEqual(hashOfAnswer(server.ctx, server.h3, first?.entries ?? []));
  });
});

describe('evidence that somebody changed', () => {
  const first = <T>(list: readonly T[], change: Partial<T>): T[] =>
    list.map((item, i) => (i === 0 ? { ...item, ...change } : item));
  const zeros = new Uint8Array(64);
  it.each<[string, Partial<RoundEvidence>, string]>([
    [
      'a key that is not signed',
      { advertised: first(evidence.advertised, { sig: zeros }) },
      'S2 σ0 of site 10',
    ],
    [
      'another mask key',
      { advertised: first(evidence.advertised, { sPk: new Uint8Array(32) }) },
      'S2 σ0 of site 10',
    ],
    [
      'a repeated key',
      { advertised: first(evidence.advertised, { cPk: evidence.advertised[1]?.cPk ?? zeros }) },
      'S2 a public key stands twice',
    ],
    ['a dealer that is not signed', { dealers: first(evidence.dealers, { sig: zeros }) }, 'S2 σ1 of site 10'],
    [
      'another upload',
      { commits: first(evidence.commits, { root: new Uint8Array(32) }) },
      'S2 σ2 of site 10',
    ],
    ['another length', { commits: first(evidence.commits, { length: 7 }) }, 'S2 σ2 of site 10'],
    [
      'a forged confirmation',
      { consistency: first(evidence.consistency, { sig: zeros }) },
      'S2 a consistency signature',
    ],
    ['too few confirmations', { consistency: evidence.consistency.slice(0, 3) }, 'S2 3 sites confirmed'],
    ['a forged answer', { answers: first(evidence.answers, { sig: zeros }) }, 'S2 σ4 of site 10'],
    [
      'an answer with both kinds',
      {
        answers: first(evidence.answers, {
          entries: [...(evidence.answers[0]?.entries ?? []), ...(evidence.answers[0]?.entries ?? [])],
        }),
      },
      'S2 site 10 revealed other shares',
    ],
    ['too few answers', { responders: [10, 20] }, 'S2 2 answers unmask'],
    ['an answer that is not there', { answers: evidence.answers.slice(1) }, 'S2 5 answers unmask'],
    ['too small a U3', { commits: evidence.commits.slice(0, 3) }, 'S1 |U3| = 3 is below'],
    ['too small a U2', { dealers: evidence.dealers.slice(0, 4) }, 'S1 |U2| = 4 is below'],
    ['too small a U1', { advertised: evidence.advertised.slice(0, 4) }, 'S1 |U1| = 4 is below'],
    ['a survivor outside U2', { dealers: evidence.dealers.slice(1) }, 'S1 U3 ⊆ U2 ⊆ U1 does not hold'],
    ['a stranger', { advertised: first(evidence.advertised, { id: 5 }) }, 'S1 U1 has a site'],
  ])('with %s is found', (_, changed, expected) => {
    expect(complaints(changed).join('\n')).toContain(expected);
  });

  it('does not count public data towards uMin in a run that is not public', () => {
    expect(complaints({})).toEqual([]);
    expect(complaints({}, [10])).toEqual(['S1 4 contributing survivors are below uMin = 5']);
  });
});
