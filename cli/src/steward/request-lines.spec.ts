import { describe, expect, it } from '@jest/globals';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { type BodyOf, digestText, entryHash, type LogEntry, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { readPlanFile } from '../plan-file/index.js';
import { exampleFile } from '../sim/programs.js';
import { proposal } from '../sim/statements.js';
import { approvalBody } from './approval.js';
import { type RequestFacts, requestLines } from './request-lines.js';

const written = readPlanFile(exampleFile('brca3-private.sim.yaml'));
const digest = digestText(new Uint8Array(32).fill(7));
const commit: BodyOf<'dataset.commit'> = {
  ...{ dataset: 'simulated-rnaseq', version: 2, commitment: digest, schema: digest, dataUse: [] },
  ...{ panel: { digest, size: 1000 }, band: '50-99', unit: 'patient', qualityReport: null },
  ...{ public: false, simulated: true },
};

/** What a steward of site 1 is asked about the example with these changes. */
function factsOf(changes: Partial<Plan> = {}, knownTo: string | null = null): RequestFacts {
  const plan: Plan = { ...written, ...changes };
  const federation = new SampleFederation();
  const bytes = federation.entry(
    ['researcher', 'r1'],
    'plan.propose',
    {},
    proposal(plan, [1, 2, 3, 4, 5]).body,
  );
  const entry = parseEntry(bytes) as LogEntry<'plan.propose'>;
  const { body: policy } = federation.policyBody('site-1');
  const planHash = digestText(planHashOf(plan));
  const agreed = { planHash, policy: policy.policy.digest, dataset: commit };
  return {
    ...{ plan, logged: { index: 9, hash: entryHash(bytes), entry }, commit, policy, knownTo },
    body: approvalBody(agreed, new Date('2027-02-01T00:00:00Z')),
    ...{ outside: [], units: 61, budget: null, members: 5, before: null },
  };
}

describe('the screen of a request', () => {
  it('has its sections in the order of a decision, and ends with the digest of the plan', () => {
    const lines = requestLines(factsOf());
    expect(lines.filter((line) => /^\d/.test(line))).toEqual([
      ...['1  purpose', '2  what runs', '3  which data', '4  what leaves this site'],
      ...['5  privacy', '6  expiry and conditions'],
    ]);
    expect(lines.at(-1)).toBe(`plan    ${digestText(planHashOf(written))}`);
  });

  it('begins with title, researcher, who answers for the person, and under which permit', () => {
    const lines = requestLines(factsOf({ reference: 'EU 101, ethics 7/2026' }, 'site-2'));
    expect(lines.slice(0, 4)).toEqual([
      '1  purpose',
      `   research: brca3-private-sim, ${written.title}`,
      expect.stringMatching(
        /^ {3}proposed by researcher r1 \(known to site-2, whose steward gave the role\) at 2026-/,
      ),
      '   funding, permit or approval: EU 101, ethics 7/2026',
    ]);
  });

  it('says who built what runs, as far as the researcher says so, and where that is of other code', () => {
    const builder = 'https://builder.example/one';
    const linesWith = (subject: string): string => {
      const facts = factsOf();
      const { entry } = facts.logged;
      const provenance = { builder, subject, statement: digest };
      const body = { ...entry.body, provenance };
      return requestLines({ ...facts, logged: { ...facts.logged, entry: { ...entry, body } } }).join('\n');
    };
    const { code } = factsOf().logged.entry.body;
    expect(linesWith(code)).toContain(
      `\n   the researcher names a builder, whose signature is not checked here:\n     ${builder}, statement ${digest}\n`,
    );
    expect(linesWith(digest)).toContain('names a builder FOR OTHER CODE');
    expect(requestLines(factsOf())).toContain('   who built it is not stated');
  });

  it('says what is not there', () => {
    const lines = requestLines(factsOf({ title: '' }));
    expect(lines[1]).toBe('   research: brca3-private-sim');
    expect(lines[2]).toContain('(named by the founders of the federation)');
    expect(lines[3]).toBe('   funding, permit or approval: none given');
  });

  it('writes nothing that steers a terminal', () => {
    const lines = requestLines(factsOf({ reference: 'grant \u202e7' }));
    expect(lines.join('\n')).not.toContain('\u202e');
  });
});
