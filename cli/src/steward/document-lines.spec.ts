import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { statementsOf } from '@regulon/client/rounds';
import { sitePolicySchema } from '@regulon/shared/plan';
import { parse } from 'yaml';
import { readPlanFile } from '../plan-file/index.js';
import { exampleFile } from '../sim/programs.js';
import { documentLines } from './document-lines.js';
import { policyLines } from './policy.js';
import { POLICY_WORDS } from './policy-words.js';

const examples = dirname(exampleFile('brca3-mlp.sim.yaml'));
const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
const policies = files.filter((name) => name.startsWith('site-policy'));

/** What the leaves of a document read as; of a name and a number too, so that two that are alike are both looked for. */
function leavesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (value !== null && typeof value === 'object') return Object.values(value).flatMap(leavesOf);
  if (value === null) return ['none'];
  if (typeof value === 'boolean') return [value ? 'yes' : 'no'];
  if (typeof value === 'number')
    return [Number.isInteger(value) ? value.toLocaleString('en') : String(value)];
  return [value as string];
}

/** Takes each leaf out of the text; fails where one is not there (any more). */
function expectAll(text: string, leaves: readonly string[]): void {
  let rest = text;
  const longest = [...leaves].sort((a, b) => b.length - a.length);
  for (const leaf of longest) {
    const at = rest.indexOf(leaf);
    if (at < 0) throw new Error(`${leaf} is left out`);
    rest = `${rest.slice(0, at)}\u0000${rest.slice(at + leaf.length)}`;
  }
}

describe('a signed document for people', () => {
  it.each(policies)('%s: every value of the policy is in a line, and none is raw', (name) => {
    const policy = sitePolicySchema.parse(parse(readFileSync(join(examples, name), 'utf8')));
    const lines = documentLines(policy, POLICY_WORDS);
    expectAll(lines.join('\n'), leavesOf(policy));
    expect(lines.join('\n')).not.toMatch(/[{}[\]"]/);
  });

  it.each(files.filter((name) => !name.startsWith('site-policy')))(
    '%s: so is every value of the model',
    (name) => {
      const { model } = readPlanFile(join(examples, name));
      const lines = documentLines(model);
      expectAll(lines.join('\n'), leavesOf(model));
      expect(lines.join('\n')).not.toMatch(/[{}[\]"]/);
    },
  );

  it('is what a steward reads before policy and dataset are stated: all that is signed', () => {
    const salt = mkdtempSync(join(tmpdir(), 'regulon-salt-'));
    const policy = sitePolicySchema.parse(parse(readFileSync(join(examples, policies[0]!), 'utf8')));
    const dataset = {
      ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient' },
      public: false,
      simulated: true,
      dataUse: ['DUO:0000042'],
    };
    const description = {
      units: 40,
      content: new Uint8Array(32),
      qualityReport: new Uint8Array(32),
      panel: { digest: new Uint8Array(32), size: 12345 },
    };
    const statements = statementsOf(policy, dataset as never, description as never, salt);
    rmSync(salt, { recursive: true });
    const { policyAttachment, ...signed } = statements;
    const attached: unknown = JSON.parse(Buffer.from(policyAttachment, 'base64').toString('utf8'));
    expectAll(policyLines(statements).join('\n'), [...leavesOf(signed), ...leavesOf(attached)]);
  });

  it('has words for every field of a policy', () => {
    const full = {
      dataUse: ['DUO:0000042'],
      reviewersNeeded: 2,
      privacy: { epsilon: 1, delta: 1e-6, minNoise: 0.5 },
    };
    const policy = sitePolicySchema.parse({
      schema: 'regulon.site-policy/1',
      purposes: ['research'],
      ...full,
    });
    expect(Object.keys(policy).filter((key) => POLICY_WORDS[key] === undefined)).toEqual([]);
    expect(documentLines(policy, POLICY_WORDS)).toEqual(
      expect.arrayContaining([
        'a sum covers at least 5 sites',
        '1/3 of the sites are assumed to collude with the coordinator',
        'at most 100,000,000 parameters a model (float32)',
        'budget of differential privacy of the dataset, over all runs:',
        '  ε at most 1',
        '  δ at most 0.000001',
        '2 persons of this site sign an approval',
      ]),
    );
  });

  it('shows fields that it has no words for, those beside a sentence too, and no sign that steers a terminal', () => {
    const document = {
      gamma: { num: 1, den: 3, newKey: 'x\u001b[2J' },
      other: [{ a: [1, 2], b: null }, [[true]]],
    };
    expect(documentLines(document, POLICY_WORDS)).toEqual([
      '1/3 of the sites are assumed to collude with the coordinator',
      '  new key: x\ufffd[2J',
      'other:',
      '  - a (1, 2), b none',
      '  -',
      '    - yes',
    ]);
  });
});
