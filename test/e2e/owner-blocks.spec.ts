import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile } from '@regulon/cli/sim';
import { verifyBundle } from '@regulon/shared/transparency';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';

const real = compiled ? it : it.skip;
const MINUTES = 60_000;

real(
  'five daemons train two omics, four of them own the encoder of one that the fifth lacks, and the auditor accepts it (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-owners-'));
    const plan = readPlanFile(exampleFile('omics-owners.sim.yaml'), (document) => {
      Object.assign(document['training'] as object, { rounds: 4 });
    });
    const { federation } = await openRealFederation(root, plan);
    try {
      const document = await runToItsEnd(federation, plan);
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      expect(document.curve.map(({ survivors }) => survivors)).toEqual([5, 5, 5, 5]);
      const { pooled, bySite } = document.result ?? {};
      expect(pooled?.accuracy).toBeGreaterThan((pooled?.majority ?? 1) + 0.2);
      expect(bySite).toHaveLength(5);
      const policy = readFileSync(join(federation.founded.folder.federation, 'quorum.policy'), 'utf8');
      expect(verifyBundle({ bundle: await federation.api.bundle(), policy }).status).toBe('pass');
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  10 * MINUTES,
);

/** The example for data of patients: nothing moves a weight that no patient trains. @param owners of the encoder */
const closedPlan = (name: string, owners: readonly string[]) =>
  readPlanFile(exampleFile('omics-owners.sim.yaml'), (document) => {
    Object.assign(document, { name });
    const { training, model } = document as {
      training: { rounds: number; optimizer: { weightDecay: number } };
      model: { blocks: { owners?: readonly string[] }[] };
    };
    Object.assign(training, { rounds: 2 });
    Object.assign(training.optimizer, { weightDecay: 0 });
    for (const block of model.blocks) if (block.owners) block.owners = owners;
  });

real(
  'over data of patients the owners are those who have the omic; sites refuse others, and the coordinator does not hear why (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-owners-'));
    const right = closedPlan('owners-right', ['site-1', 'site-2', 'site-3', 'site-4']);
    const wrong = closedPlan('owners-wrong', ['site-2', 'site-3', 'site-4', 'site-5']);
    const { federation } = await openRealFederation(root, right, { isClosed: true });
    try {
      const document = await runToItsEnd(federation, right);
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      expect(document.result?.bySite).toBeNull();
      const refused = await runToItsEnd(federation, wrong);
      expect(refused).toMatchObject({ status: 'FAILED', rounds: [], reason: { code: 'E_POLICY' } });
      expect(refused.reason?.message).toMatch(/^refused by site [15] \(E_POLICY\)/);
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  15 * MINUTES,
);
