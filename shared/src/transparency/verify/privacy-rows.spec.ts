import { describe, expect, it } from '@jest/globals';
import { boundOf, pldEpsilon } from '../../privacy/index.js';
import { type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { epsilonOfSteps } from './independent-accountant.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import { Findings } from './findings.js';
import type { OpenedRound } from './opened-rounds.js';
import { checkPrivateRun } from './privacy-rows.js';
import type { RunView } from './run-view.js';
import { attachmentOf, MediaType } from '../entries/attachments.js';
import { utf8 } from '../../crypto/index.js';
import { verifyBundle } from './verify-bundle.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
const rowsOf = (options: SampleOptions) => {
  const log = sampleRun(options);
  return verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf }).rules;
};
/** The rows that fail, with what is wrong first. */
const failuresOf = (options: SampleOptions): [string, string][] =>
  rowsOf(options).flatMap(({ id, status, note }) =>
    status === 'fail' ? [[id, note] as [string, string]] : [],
  );
const statusOf = (options: SampleOptions, row: string): string | undefined =>
  rowsOf(options).find(({ id }) => id === row)?.status;

type Spoil = NonNullable<SampleOptions['spoil']>;
/** Changes the charge of the nth contribution. */
const charging =
  (nth: number, fields: object): Spoil =>
  (kind, body, seen) =>
    kind === 'round.contribution' && seen === nth
      ? { ...body, charge: { ...(body['charge'] as object), ...fields } }
      : body;
const changing =
  (kind: string, fields: object, nth = 0): Spoil =>
  (of, body, seen) =>
    of === kind && seen === nth ? { ...body, ...fields } : body;
const stating =
  (fields: object): Spoil =>
  (kind, body) =>
    kind === 'plan.propose' ? { ...body, privacy: { ...(body['privacy'] as object), ...fields } } : body;
/** The first charge, its total a little too small. */
const lowered: Spoil = (kind, body, seen) => {
  const charge = body['charge'] as { after: string };
  return kind === 'round.contribution' && seen === 0
    ? { ...body, charge: { ...charge, after: String(Number(charge.after) * (1 - 1e-5)) } }
    : body;
};
const privacy = { cap: '3' };

describe('a run that claims privacy', () => {
  it('passes with its charges recomputed, by everybody or by samples, and when an attempt was burnt', () => {
    for (const options of [
      { privacy },
      { privacy: { cap: '3', samplingRate: '0.25' } },
      { privacy, reopened: true },
    ] as const) {
      expect(failuresOf(options)).toEqual([]);
      expect(['P1', 'P2', 'P4'].map((row) => statusOf(options, row))).toEqual(['pass', 'pass', 'pass']);
    }
  });

  it('leaves to a person what the log does not say: sampling, and totals of sites without a budget', () => {
    expect(statusOf({ privacy }, 'P3')).toBe('needs-human');
    expect(statusOf({ privacy: { cap: null } }, 'P2')).toBe('needs-human');
    expect(failuresOf({ privacy: { cap: null } })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['less noise', { sigma: '4' }, 'sigma'],
    ['another bound', { clip: '2' }, 'clip'],
    ['another rate', { samplingRate: '0.5' }, 'samplingRate'],
    ['fewer steps', { steps: 4 }, 'steps'],
    ['another δ', { delta: '0.0001' }, 'delta'],
    ['another unit', { unit: 'gene' }, 'unit'],
    ['another adjacency', { adjacency: 'replace' }, 'adjacency'],
    ['another mechanism', { mechanism: 'skellam' }, 'mechanism'],
  ])('P1: a proposal that states %s than its plan', (_, fields, what) => {
    expect(failuresOf({ privacy, spoil: stating(fields) })).toContainEqual([
      'P1',
      `the proposal states another ${what} than its plan`,
    ]);
  });

  it('P1: a claim without a plan behind it, and a plan whose claim is not stated', () => {
    const none = changing('plan.propose', { privacy: null });
    expect(failuresOf({ privacy, spoil: none })).toContainEqual([
      'P1',
      'the proposal states another privacy than its plan',
    ]);
    const claim: Spoil = (kind, body) =>
      kind === 'plan.propose' ? { ...body, privacy: { ...sampleClaim } } : body;
    expect(failuresOf({ spoil: claim }).map(([row]) => row)).toContain('P1');
  });

  it('P1: a δ that is not below 1 / (units), and rounds without noise', () => {
    expect(failuresOf({ privacy, spoil: changing('round.contribution', { band: '500+' }) })).toEqual([]);
    const loose = stating({ delta: '0.01' });
    expect(failuresOf({ privacy, spoil: loose })).toContainEqual([
      'P1',
      expect.stringContaining('δ = 0.01 is not below 1 / (units of site-1)'),
    ]);
    const rows = failuresOf({
      spoil: (kind, body) => (kind === 'plan.propose' ? { ...body, privacy: sampleClaim } : body),
    });
    expect(rows).toContainEqual(['P1', expect.stringContaining('a round that is no training')]);
  });

  it("P1: noise that is not the plan's, and an extra without noise, in the manifest of a training round", () => {
    const manifest = { purpose: 0, mechanism: 0, z: 0, extras: [] };
    const noted = (fields: object): string[] => {
      const findings = new Findings();
      const approved = { proposal: { entry: { body: { privacy: sampleClaim } } } } as unknown as ApprovedRun;
      const opened = { open: { index: 3 }, manifest: { ...manifest, ...fields } } as unknown as OpenedRound;
      const view = { contributions: [] } as unknown as RunView;
      checkPrivateRun({ findings } as unknown as VerifyContext, view, approved, [opened]);
      return findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`);
    };
    expect(noted({})).toEqual([]);
    expect(noted({ mechanism: 1 })).toEqual([
      'P1 3: a plan that claims privacy has noise of another mechanism',
    ]);
    expect(noted({ z: 1 })).toEqual(['P1 3: a plan that claims privacy has noise of another mechanism']);
    expect(noted({ extras: [{ name: 'loss' }] })).toEqual([
      'P1 3: a plan that claims privacy has an extra without noise (loss)',
    ]);
  });

  it('P1: a plan that is no JSON states nothing that the proposal could claim', () => {
    const plan = attachmentOf(utf8('{'), MediaType.json);
    const log = sampleRun({ privacy, spoil: changing('plan.propose', { plan }) });
    log.attach(utf8('{'), MediaType.json);
    const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
    const wrong = rules.filter(({ id, status }) => status === 'fail' && (id === 'P1' || id === 'A3'));
    expect(wrong.map(({ id, note }) => `${id}: ${note}`)).toEqual([
      'A3: the attached plan is not canonical JSON',
      'P1: the proposal states another privacy than its plan',
    ]);
  });

  it('P4: a release whose noise has no source', () => {
    expect(failuresOf({ privacy, spoil: changing('round.contribution', { sampler: null }, 2) })).toEqual([
      ['P4', 'site-3 names no source of its noise'],
    ]);
  });
});

describe('P2: the ledger of a site', () => {
  it.each<[string, SampleOptions['spoil'], string]>([
    ['not charged', changing('round.contribution', { charge: null }), 'that was not charged'],
    ['too little recorded', charging(0, { after: '0.5' }), 'ε = 0.5 after a charge, where'],
    ['one part in a hundred thousand less', lowered, 'after a charge, where'],
    ['spent privacy came back', charging(5, { before: '0.1' }), 'spent privacy came back'],
    ['a number used twice', charging(5, { ledgerSeq: 0 }), 'charge 0 stands for two releases'],
    [
      'no budget behind it',
      changing('policy.set', { epsilonCap: null }),
      'a charge without a budget in its policy',
    ],
    ['numbers that go back', charging(0, { ledgerSeq: 7 }), 'the numbers of its charges go back'],
  ])('%s', (_, spoil, note) => {
    expect(failuresOf({ privacy, spoil })).toContainEqual(['P2', expect.stringContaining(note)]);
  });

  it('charges for another event leave the totals to a person', () => {
    expect(statusOf({ privacy, spoil: charging(0, { event: 'laplace' }) }, 'P2')).toBe('needs-human');
  });

  it('a total above the cap of the policy, of sampled steps, too', () => {
    expect(failuresOf({ privacy: { cap: '0.05', samplingRate: '0.25' } })).toContainEqual([
      'P2',
      expect.stringMatching(/exceeds the 0\.05 of its policy/),
    ]);
    expect(failuresOf({ privacy: { cap: '0.7' } })).toContainEqual([
      'P2',
      expect.stringMatching(/exceeds the 0\.7 of its policy/),
    ]);
  });

  it('more recorded than this log knows is no fault: the dataset may have served elsewhere', () => {
    const [earlier, later] = [
      { before: '2', after: '2.4' },
      { before: '2.4', after: '2.8' },
    ];
    const more: Spoil = (kind, body, seen) =>
      kind === 'round.contribution' && seen % 5 === 0
        ? { ...body, charge: { ...(body['charge'] as object), ...(seen < 5 ? earlier : later) } }
        : body;
    expect(failuresOf({ privacy, spoil: more })).toEqual([]);
  });
});

describe('the accountant of the auditor', () => {
  it.each([
    [1, 1, 1, 1e-5, 4.3771780957],
    [1, 5, 10, 1e-5, 2.5943833805],
    [1, 3, 30, 1e-3, 6.7288523735],
    [1, 8, 100, 1e-3, 4.145447],
  ])('agrees with published values: q = %d, z = %d, %d steps', (q, z, steps, delta, epsilon) => {
    expect(epsilonOfSteps([{ q, z, steps }], delta)).toBeCloseTo(epsilon, 6);
  });

  it('agrees with the accountants of the sites to a part in 10⁸, and lies above the loss distribution', () => {
    for (const [q, z, steps] of [
      [1, 8, 6],
      [0.25, 2, 40],
      [0.01, 1.1, 1000],
    ] as const) {
      const events = [
        { q, z, steps },
        { q: 1, z: 10, steps: 1 },
      ];
      const daemon = boundOf(
        events.map((event) => ({ mechanism: 'gaussian', ...event }) as const),
        1e-3,
      );
      const own = epsilonOfSteps(events, 1e-3);
      expect(Math.abs(own / daemon - 1)).toBeLessThan(1e-8);
      if (q < 1) expect(own).toBeGreaterThan(pldEpsilon(events, 1e-3, 1e-3));
    }
    expect(epsilonOfSteps([], 1e-3)).toBe(0);
    // so much noise that δ alone covers everything
    expect(epsilonOfSteps([{ q: 1, z: 1000, steps: 1 }], 0.5)).toBe(0);
  });
});

const sampleClaim = {
  ...{ mechanism: 'dp-sgd', clip: '1', sigma: '8', samplingRate: '1', steps: 6, adjacency: 'add-remove' },
  ...{ unit: 'patient', delta: '0.001', accountant: 'exact', accountantVersion: 'regulon-accountant/1' },
};
