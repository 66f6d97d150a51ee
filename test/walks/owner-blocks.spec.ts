import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile } from '@regulon/cli/sim';
import { verifyBundle } from '@regulon/shared/transparency';
import { compiled, GENERAL_RESEARCH, openRealFederation, runToItsEnd } from '../support/real-federation.js';

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

real(
  'over data of patients sites refuse such a block, and the coordinator does not hear why (needs the compiled programs)',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'regulon-owners-'));
    const plan = readPlanFile(exampleFile('omics-owners.sim.yaml'), (document) => {
      document['dataUse'] = GENERAL_RESEARCH;
    });
    const { federation } = await openRealFederation(root, plan, { isClosed: true });
    try {
      const refused = await runToItsEnd(federation, plan);
      expect(refused).toMatchObject({ status: 'FAILED', rounds: [], reason: { code: 'E_POLICY' } });
      expect(refused.reason?.message).toMatch(/^refused by site \d \(E_POLICY\)/);
    } finally {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
  10 * MINUTES,
);
