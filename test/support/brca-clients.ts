import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { SimFederation } from '@regulon/cli/sim';
import { loadDataset, viewOf } from '@regulon/client/data';
import type { RunDocument } from '@regulon/coordinator/runs';
import type { UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import { compiled, openRealFederation, runToItsEnd } from './real-federation.js';
import { toyPlan } from './toy-plan.js';

const folder = join(process.env['REGULON_DATA'] ?? '', 'tcga_brca_flimma');
const isThere = process.env['REGULON_DATA'] !== undefined && existsSync(folder);

/** Runs a test where the compiled programs and the real data are. */
export const withBrca: typeof it.skip = compiled && isThere ? it : it.skip;
/** For the name of such a test. */
export const BRCA_NEEDS = '(needs the compiled programs and the shared data)';
/** The five clients of the data. */
export const BRCA_CLIENTS = ['c1', 'c2', 'c3', 'c4', 'c5'];

/** The usual preparation, down to the `k` most variable genes. */
export const brcaPreparation = (k: number) => [
  { step: 'log2-cpm' as const },
  { step: 'top-variance' as const, k },
  { step: 'z-score' as const },
];

/** A plan over the clients: three subtypes. */
export const brcaPlan = (more: object) =>
  toyPlan(BRCA_CLIENTS, {
    dataset: { name: 'tcga-brca', kind: 'expression', scale: 'counts', unit: 'patient' },
    label: {
      classes: [
        { name: 'Basal', rule: 'Basal' },
        { name: 'LumA', rule: 'Lum and is_LumA' },
        { name: 'LumB', rule: 'Lum and not is_LumA' },
      ],
    },
    deadlines: {},
    ...more,
  });

/** Daemons of the five clients, and their data as a pooled reference reads them. */
export interface BrcaFederation {
  readonly federation: SimFederation;
  /** one a client */
  readonly views: readonly UnitsView[];
  /** The document of a run that completes. */
  readonly completed: (plan: Record<string, unknown>) => Promise<RunDocument>;
  readonly close: () => Promise<void>;
}

/** @param genes features of the first plan */
export async function openBrca(genes: number): Promise<BrcaFederation> {
  const root = mkdtempSync(join(tmpdir(), 'regulon-brca-'));
  const files = BRCA_CLIENTS.map((name) => {
    const at = join(folder, name);
    return { name, counts: join(at, 'counts.tsv.gz'), labels: join(at, 'design.tsv') };
  });
  const plan = brcaPlan({ prepare: brcaPreparation(genes) });
  const views: UnitsView[] = [];
  for (const { counts, labels } of files) {
    const dataset = await loadDataset({ counts, labels, kind: 'expression', scale: 'counts' });
    views.push(viewOf(dataset, parsePlan(plan).label?.classes));
  }
  const { federation } = await openRealFederation(root, plan, { files });
  return {
    ...{ federation, views },
    completed: async (text) => {
      const document = await runToItsEnd(federation, parsePlan(text));
      expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
      return document;
    },
    close: async () => {
      await federation.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
