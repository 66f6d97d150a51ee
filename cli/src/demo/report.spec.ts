import { describe, expect, it } from '@jest/globals';
import { exampleFile, type ReferenceReport } from '../sim/index.js';
import { readPlanFile } from '../plan-file/index.js';
import { parseDemoOptions } from './options.js';
import { demoJson, type DemoOutcome, type DemoRound } from './outcome.js';
import { reportLines } from './report.js';

const score = (accuracy: number | null, mse: number | null) => ({
  units: 30,
  accuracy,
  balancedAccuracy: accuracy,
  recallPerClass: accuracy === null ? null : [1, 0.8, null],
  mse,
});
const sites = ['c1', 'c2', 'c3', 'c4', 'c5'];
const reference: ReferenceReport = {
  schema: 'regulon.reference/1',
  label: 'reference (sees all data)',
  units: sites.map((site, i) => ({ site, units: 10 + i })),
  pooled: score(0.84, null),
  pooledBySite: [],
  lone: sites.map((site, i) => ({ site, score: score(0.7 + i / 50, null) })),
  pca64Mse: null,
  backend: 'wasm',
  seconds: 1,
};
const round = (n: number, purpose: DemoRound['purpose'], step: string): DemoRound => ({
  round: n,
  purpose,
  step,
  arm: 0,
  seconds: 0.5 + n / 10,
  survivors: 5,
  loss: purpose === 'train' ? 0.4 : null,
  accuracy: purpose === 'train' ? 0.9 : null,
  bytesUpPerSite: 1000 * (n + 1),
  bytesDownPerSite: 1000 * (n + 1),
});
const outcome: DemoOutcome = {
  plan: readPlanFile(exampleFile('brca3-mlp.yaml')),
  run: 'run_00',
  status: 'COMPLETED',
  coverage: '3 of 3 rounds with 5 of 5 sites',
  simulated: false,
  rounds: [
    {
      ...round(0, 'statistics', 'counts'),
      finding: { step: 'counts', level: 'alarm', text: 'alarm: x', values: {} },
    },
    round(1, 'train', 'train'),
    round(2, 'evaluation', 'evaluate'),
  ],
  stepWords: { counts: 'number of units', train: 'update of the weights' },
  result: {
    pooled: {
      count: 60,
      accuracy: 0.83,
      balancedAccuracy: 0.8,
      majority: 0.5,
      recallPerClass: [1, 0.8, 0.6],
      confusion: [10, 0, 0, 3, 24, 3, 2, 6, 12],
    },
    bySite: null,
  },
  reference,
  modelDigest: 'sha256:ab',
  log: { size: 40, root: 'AAAA', verified: true, lines: ['audit verify: every rule passes'] },
  gateMode: 'signed',
  eventLoopMaxMs: 12.3,
  memory: { byName: { coordinator: 2e8, c1: 3e8 }, together: 1e9 },
  seconds: 42,
  files: [],
};

describe('the final report', () => {
  const lines = reportLines(outcome);

  it('starts with the coverage and says who saw all data', () => {
    expect(lines[0]).toBe('COMPLETED  3 of 3 rounds with 5 of 5 sites');
    for (const name of ['lone sites, mean', 'lone sites, worst', 'pooled']) {
      expect(lines.find((line) => line.startsWith(name))).toContain('reference (sees all data)');
    }
    expect(lines.find((line) => line.startsWith('federated'))).toMatch(/\.830 +\.800 +1\.000 +\.800 +\.600/);
    expect(lines.find((line) => line.startsWith('majority class'))).toMatch(
      /\.500 +\.333 +\.000 +1\.000 +\.000/,
    );
    expect(lines.find((line) => line.startsWith('lone sites, worst'))).toContain('c1;');
  });

  it('says what the statistics found before training', () => {
    expect(lines).toContain('Before  alarm: x');
    expect(demoJson(outcome)['findings']).toEqual([expect.objectContaining({ level: 'alarm' })]);
  });

  it('says what left each site and in which form', () => {
    expect(lines.some((line) => /number of units +1 +1\.0 KB +masked, 64-bit ring/.test(line))).toBe(true);
    expect(lines.some((line) => /update of the weights.* 2\.0 KB +masked, 32-bit ring/.test(line))).toBe(
      true,
    );
  });

  it('is one object of the published schema as JSON', () => {
    const json = demoJson(outcome);
    expect(Object.keys(json)).toEqual([
      'schema',
      'status',
      'coverage',
      'task',
      'sites',
      'findings',
      'rounds',
      'final',
      'secureAggregation',
      'modelDigest',
      'log',
      'seconds',
    ]);
    expect(json['final']).toEqual({
      accuracy: 0.83,
      balancedAccuracy: 0.8,
      majority: 0.5,
      loneMean: expect.closeTo(0.74, 9) as unknown,
      pooled: 0.84,
    });
    expect((json['rounds'] as object[])[0]).toEqual({
      round: 0,
      seconds: 0.5,
      survivors: 5,
      loss: null,
      accuracy: null,
      bytesUpPerSite: 1000,
      bytesDownPerSite: 1000,
    });
  });
});

describe('the options of the demo', () => {
  const parse = (...args: string[]) => parseDemoOptions(args, () => {});

  it('have defaults, and take what the README says', () => {
    expect(parse()).toEqual({ keep: false, format: 'table', backend: 'auto' });
    expect(
      parse('--sites', '7', '--rounds', '3', '--format', 'json', '--export-bundle', 'b.zip'),
    ).toMatchObject({
      sites: 7,
      rounds: 3,
      format: 'json',
      exportBundle: 'b.zip',
    });
  });

  it.each([
    ['--sites', '4'],
    ['--rounds', 'x'],
    ['--format', 'xml'],
    ['--nothing', ''],
    ['--data', 'x', '--sites', '6'],
  ])('refuse %s %s', (...args) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
  });
});
