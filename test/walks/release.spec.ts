import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectPass, WHO_PASSES } from '../support/both-verifiers.js';
import { simulatedLayout } from '@regulon/cli/sim';
import { parsePlan, type Plan } from '@regulon/shared/plan';
import { digestText, readBundle } from '@regulon/shared/transparency';
import { sha256 } from '@regulon/shared/crypto';
import { stringify } from 'yaml';
import { done, regulon } from '../support/enrolled-federation.js';
import { MembershipWalk } from '../support/later-membership.js';
import { compiled } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const real = compiled ? it : it.skip;
const sites = ['east', 'north', 'south'];

/** An MLP by DP-SGD on all patients of three sites. */
const plan = (): Plan =>
  parsePlan(
    simulatedDataPlan(sites, {
      name: 'released',
      prepare: [{ step: 'log2-cpm' }],
      training: { rounds: 2, optimizer: { name: 'adam' } },
      evaluation: { split: 'none' },
      secureAggregation: { weightCap: 128, nMin: 3, gamma: { num: 0, den: 1 } },
      privacy: {
        ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 8, samplingRate: 1 },
        ...{ localSteps: 3, clipNorm: 1, delta: 1e-3 },
      },
    }),
  );
const policy = {
  ...{ schema: 'regulon.site-policy/1', nMin: 3, gamma: { num: 0, den: 1 }, purposes: ['research'] },
  ...{ plans: 'approved-by-steward', leaveSiteOut: 'exact' },
  privacy: { epsilon: 3, delta: 1e-3, minNoise: 1 },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-release-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Patients of a site whom nobody trained on. */
function others(walk: MembershipWalk, site: string): { counts: string; labels: string } {
  const { sites: made } = simulatedLayout(walk.plan, join(root, 'others'), walk.plan.seed + 1);
  const { counts, labels = '' } = made.find(({ name }) => name === site)!;
  for (const file of [counts, labels])
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${site}-P`, `${site}-Q`));
  return { counts, labels };
}

const countsOf = (site: string): string => join(root, 'data', site, 'counts.tsv');

describe('the release of a model', () => {
  real(
    `is tested at a site, signed by every steward, exported with its card, and refused without; a log that ${WHO_PASSES} (needs the compiled programs)`,
    async () => {
      const walk = new MembershipWalk(root, plan());
      const policyFile = join(root, 'policy.yaml');
      writeFileSync(policyFile, stringify(policy));
      await walk.install(await walk.found(), policyFile);
      const supervisor = await walk.start();
      try {
        for (const site of sites) await walk.steward(site, 'policy', 'set');
        const run = await walk.run(walk.plan);
        expect(run).toMatchObject({ status: 'COMPLETED' });
        const name = String(run['run']);
        const weights = join(root, 'model.f32');
        await done('model', 'pull', name, '--out', weights, ...walk.researcher);

        const key = ['--key', walk.researcherKey, '--yes', ...walk.researcher];
        const document = walk.letter('release.json');
        const propose = [
          'model',
          'release',
          name,
          '--document',
          document,
          '--use',
          'research on subtypes',
          ...key,
        ];
        const untested = await regulon(...propose);
        expect(untested).toMatchObject({
          code: 1,
          err: expect.stringMatching(/E_RELEASE.*no attack report/),
        });
        const closed = await regulon('model', 'export', name, '--out', join(root, 'early'), ...key);
        expect(closed).toMatchObject({ code: 1, err: expect.stringMatching(/E_RELEASE.*was released/) });

        const { counts, labels } = others(walk, 'east');
        const report = walk.letter('attack.json');
        const test = ['model', 'test', weights, '--config', walk.config('east'), '--others', counts];
        await done(...test, '--others-labels', labels, '--out', report);
        const text = readFileSync(report, 'utf8');
        expect(text).not.toMatch(/east-[PQ]/);
        const trained = readFileSync(countsOf('east'), 'utf8');
        writeFileSync(countsOf('east'), trained.replace(/\t(\d+)\n/, '\t1$1\n'));
        const swapped = await regulon(...test, '--others-labels', labels, '--out', join(root, 'no.json'));
        expect(swapped).toMatchObject({
          code: 1,
          err: expect.stringMatching(/E_RELEASE.*is not the one that east trained with in run_/),
        });
        writeFileSync(countsOf('east'), trained);
        const members = await regulon(
          ...['model', 'test', weights, '--config', walk.config('east'), '--out', join(root, 'no.json')],
          ...['--others', countsOf('east')],
          ...['--others-labels', join(root, 'data', 'east', 'design.tsv')],
        );
        expect(members).toMatchObject({
          code: 1,
          err: expect.stringMatching(/E_RELEASE.*named as members and as others/),
        });
        const another = walk.letter('another.json');
        writeFileSync(another, text.replace(/"model":"sha256:..../, '"model":"sha256:0000'));
        const wrong = await regulon(...propose, '--report', another);
        expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/E_RELEASE.*of another model/) });

        const drafted = await done(...propose, '--report', report);
        expect(drafted['missing']).toEqual(sites);
        const unsigned = await regulon(...propose, '--submit');
        expect(unsigned).toMatchObject({
          code: 1,
          err: expect.stringMatching(/E_RELEASE.*no approval by the steward of (east|north|south)/),
        });
        const signed: string[] = [];
        for (const site of sites) {
          const out = walk.letter(`${site}.release.json`);
          await walk.steward(site, 'release', document, '--weights', weights, '--out', out);
          signed.push(out);
        }
        const two = await regulon(...propose, '--signed', ...signed.slice(0, 2), '--submit');
        expect(two).toMatchObject({ code: 1, err: expect.stringMatching(/E_RELEASE.*no approval.*south/) });
        const released = await done(...propose, '--signed', ...signed, '--submit');
        expect(await done(...propose, '--submit')).toMatchObject({ index: released['index'] });

        const file = join(root, 'model.safetensors');
        await done('model', 'export', name, '--out', file, ...key);
        const bytes = readFileSync(file);
        const header = Number(bytes.readBigUInt64LE(0));
        expect(bytes.subarray(8 + header)).toEqual(readFileSync(weights));
        const card = readFileSync(`${file}.card.md`, 'utf8');
        expect(card).toContain(digestText(sha256(bytes)));
        for (const site of sites) expect(card).toMatch(new RegExp(`${site}: ε = \\d\\.\\d+ at δ = 0.001`));

        const bundle = join(root, 'bundle.zip');
        await done('audit', 'export', '--out', bundle, ...walk.researcher);
        const quorum = join(walk.site('east'), 'federation', 'quorum.policy');
        const rows = await expectPass(bundle, quorum);
        expect(rows.get('R1')).toMatchObject({ status: 'pass' });
        const tested = expect.stringMatching(/loss-threshold at east/);
        expect(rows.get('R2')).toMatchObject({ status: 'pass', note: tested });
        expect(existsSync(join(root, 'early'))).toBe(false);
        const { files } = readBundle(Uint8Array.from(readFileSync(bundle)));
        expect([...files.values()].some((content) => Buffer.from(content).equals(Buffer.from(text)))).toBe(
          true,
        );
      } finally {
        await supervisor.stopAll();
      }
    },
    1_200_000,
  );
});
