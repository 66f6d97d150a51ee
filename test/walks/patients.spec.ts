import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import { parsePlan } from '@regulon/shared/plan';
import { compiled, GENERAL_RESEARCH, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const real = compiled ? it : it.skip;
const NEEDS = '(needs the compiled programs)';
const MINUTES = 60_000;

const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];

/** Two classes by age; another limit moves a few patients of each site. */
const planBy = (age: number, title = '') =>
  simulatedDataPlan(sites, {
    ...{
      name: 'patients',
      title,
      dataUse: GENERAL_RESEARCH,
      training: { rounds: 2, optimizer: { name: 'adam' } },
    },
    label: {
      classes: [
        { name: 'younger', rule: `age < ${age}` },
        { name: 'older', rule: `age >= ${age}` },
      ],
    },
    prepare: [
      { step: 'quality' },
      { step: 'confounding' },
      { step: 'filter-by-expression' },
      { step: 'upper-quartile' },
      { step: 'log2' },
      { step: 'top-variance', k: 50 },
      { step: 'z-score' },
    ],
    evaluation: { split: 'holdout', metrics: ['roc'] },
  });

describe('data that are neither public nor simulated, through five daemons', () => {
  let root: string;
  let federation: SimFederation;
  beforeAll(async () => {
    if (!compiled) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-patients-'));
    ({ federation } = await openRealFederation(root, planBy(58), { isClosed: true }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (!compiled) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });
  const run = (plan: Record<string, unknown>) => runToItsEnd(federation, parsePlan(plan));

  real(
    `are prepared, trained on and evaluated by sums, no site by itself; the same units serve another plan ${NEEDS}`,
    async () => {
      const document = await run(planBy(58));
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      const steps = document.rounds.map(({ step }) => step);
      expect(steps.slice(0, 3)).toEqual(['folds', 'counts', 'quality']);
      expect(steps).not.toContain('library-median-1');
      expect(document.result?.bySite).toBeNull();
      expect(document.result?.pooled.count).toBeGreaterThanOrEqual(25);
      expect(document.rounds.flatMap(({ finding }) => finding ?? [])[0]).toMatchObject({ step: 'quality' });
      const again = await run(planBy(58, 'once more'));
      expect(again).toMatchObject({ status: 'COMPLETED', reason: null });
    },
    20 * MINUTES,
  );

  real(
    `are in no run whose classes differ by a few patients from those of an earlier one ${NEEDS}`,
    async () => {
      const document = await run(planBy(59));
      expect(document).toMatchObject({ rounds: [], reason: { code: 'E_POLICY' } });
    },
    10 * MINUTES,
  );
});
