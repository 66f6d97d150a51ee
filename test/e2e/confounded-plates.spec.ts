import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '@regulon/shared/plan';
import type { RunEvent } from '@regulon/coordinator/runs';
import { exampleFile, followRun } from '@regulon/cli/sim';
import { lastStep } from '../../shared/src/genomics/fitted-steps.js';
import { writePlateSites } from '../support/plate-sites.js';
import { specificationOf } from '../support/prepared-rows.js';
import { compiled, openRealFederation } from '../support/real-federation.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'ms_ifnb')) ? it : it.skip;
const MINUTES = 60_000;
const names = ['plate-1', 'plate-2', 'plate-3'];

const plan = toyPlan(names, {
  dataset: { name: 'ms-ifnb', kind: 'expression', scale: 'log-ratio', unit: 'patient' },
  label: { classes: ['good', 'bad'].map((name) => ({ name, rule: `responder == "${name}"` })) },
  prepare: [
    { step: 'confounding' },
    { step: 'batch-share' },
    { step: 'batch-center' },
    { step: 'batch-share' },
  ],
  training: { rounds: 1, optimizer: { name: 'adam' } },
  evaluation: { split: 'none' },
  secureAggregation: { weightCap: 64, nMin: 3, gamma: { num: 0, den: 1 } },
  deadlines: {},
});

describe('53 patients whose plates and outcomes all but coincide, a plate a site, through daemons', () => {
  real(
    'raise the alarm before anything is trained, and it stays in the run and beside the model (needs the compiled programs and the shared data)',
    async () => {
      const root = mkdtempSync(join(tmpdir(), 'regulon-plates-'));
      const files = writePlateSites(join(root, 'data'), names);
      const policyFile = exampleFile('site-policy.small-public.yaml');
      const { federation } = await openRealFederation(root, plan, { files, policyFile });
      try {
        const run = await federation.propose(parsePlan(plan));
        await federation.approve(run, parsePlan(plan));
        const events: RunEvent[] = [];
        await followRun(federation.api, run, (event) => events.push(event));
        const told = events.findIndex(
          (event) => event.type === 'closed' && event.facts.finding !== undefined,
        );
        const trained = events.findIndex((event) => event.type === 'round' && event.purpose === 'train');
        expect(told).toBeGreaterThan(-1);
        expect(trained).toBeGreaterThan(told);
        const document = await federation.api.run(run);
        expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
        const [alarm, before, after] = document.rounds.flatMap(({ finding }) => finding ?? []);
        expect(events[told]).toMatchObject({ facts: { finding: alarm } });
        expect(alarm).toMatchObject({
          step: 'confounding',
          level: 'alarm',
          values: { groups: 3, absent: 1 },
        });
        expect(alarm?.text).toMatch(/^alarm: labels and batches: corrected Cramér's V 0\.7/);
        expect(alarm?.values['cramersV']).toBeCloseTo(0.728, 2);
        expect(alarm?.values['correctedV']).toBeCloseTo(0.708, 2);
        expect(alarm?.values['batchRule']).toBeCloseTo(0.849, 3);
        expect(alarm?.values['majority']).toBeCloseTo(0.623, 3);
        expect(before?.values['share']).toBeGreaterThan(0.05);
        expect(after?.values['share']).toBeLessThan(1e-6);
        const fitted = lastStep(await specificationOf(federation, document), 'confounding');
        expect(fitted).toMatchObject({ units: 53, groups: 3 });
      } finally {
        await federation.stop();
        rmSync(root, { recursive: true, force: true });
      }
    },
    10 * MINUTES,
  );
});
