import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import { parsePlan } from '@regulon/shared/plan';
import { DONORS, writeQuartetSites } from '../support/quartet-sites.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'golden')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;

const labs = ['l4', 'l1', 'l2', 'l3', 'l5'];
/** Batches of each lab, in the order of the published table. */
const batches = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10], [11], [12, 13], [14]];

const planFor = (prepare: readonly object[]) =>
  toyPlan(labs, {
    dataset: { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' },
    label: { classes: DONORS.map((name) => ({ name, rule: `donor == "${name}"` })) },
    design: { batch: 'batch' },
    prepare,
    training: { rounds: 1, optimizer: { name: 'adam' } },
    evaluation: {
      split: 'leave-site-out',
      finalModel: false,
      baselines: [{ name: 'logistic', c: 0.01, rounds: 12 }],
    },
    secureAggregation: { weightCap: 128 },
    deadlines: {},
  });

describe('the donor of a Quartet metabolite sample of a lab that is left out, through five daemons', () => {
  let root: string;
  let federation: SimFederation;
  beforeAll(async () => {
    if (real === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-labs-'));
    const { files } = writeQuartetSites(join(root, 'data'), labs, batches);
    ({ federation } = await openRealFederation(root, planFor([]), { files }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** Accuracy of logistic regression over the samples of all labs, each left out once. */
  const accuracyWith = async (...prepare: object[]): Promise<number> => {
    const document = await runToItsEnd(federation, parsePlan(planFor(prepare)));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(document.result?.pooled.count).toBe(180);
    return document.result?.baselines?.[0]?.metrics.accuracy ?? NaN;
  };

  real(
    `is guessed from raw values, and known after each batch is z-scored ${NEEDS}`,
    async () => {
      expect(await accuracyWith({ step: 'z-score' })).toBeLessThanOrEqual(0.4);
      expect(await accuracyWith({ step: 'batch-z-score' })).toBeGreaterThanOrEqual(0.97);
    },
    20 * MINUTES,
  );
});
