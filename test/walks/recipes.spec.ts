import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readPlanFile } from '@regulon/cli/plan-file';
import { filesOf, simulatedLayout } from '@regulon/cli/sim';
import { Trainer } from '@regulon/client/training';
import type { RunResult } from '@regulon/shared/program';
import { federated } from '../recipes/federation.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

let folder: string;
let trainer: Trainer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-recipes-'));
  trainer = await Trainer.start({ folder, backend: 'wasm' });
});
afterEach(async () => {
  await trainer.close();
  rmSync(folder, { recursive: true });
});

/** An example on simulated data without its baselines, through secure aggregation, for a few rounds. */
function run(
  example: string,
  rounds: number,
  change?: (document: Record<string, unknown>) => void,
): Promise<RunResult> {
  const plan = readPlanFile(join(EXAMPLES, example), (document) => {
    Object.assign(document['training'] as object, { rounds });
    delete (document['evaluation'] as { baselines?: unknown }).baselines;
    change?.(document);
  });
  const sources = filesOf(plan, simulatedLayout(plan, join(folder, 'data'), 1));
  return federated(plan, sources, { trainer, folder, say: () => undefined });
}

describe('examples that train federated on simulated data', () => {
  it('a scanner of motifs ranks sequences that hold one above the others', async () => {
    const { pooled, bySite, scores } = await run('motif-scanner.sim.yaml', 6);
    expect(pooled.count).toBe(500);
    expect(bySite).toHaveLength(5);
    expect(scores?.classes?.[1]?.rocArea?.value).toBeGreaterThan(0.75);
  });

  it('a graph of genes that were never seen together classifies tumours', async () => {
    const { pooled } = await run('brca3-graph.sim.yaml', 4);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.1);
  });

  it('a separable convolution, each channel by a filter of its own, classifies tumours', async () => {
    const { pooled } = await run('brca3-separable.sim.yaml', 6);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.1);
  });

  it('the median of three groups of sites classifies tumours', async () => {
    // validation rounds have no runner in one process
    const { pooled } = await run('robust-groups.sim.yaml', 4, ({ evaluation }) => {
      const own = evaluation as { every?: unknown; maxWorsening?: unknown };
      delete own.every;
      delete own.maxWorsening;
    });
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.1);
  });

  it('a variational autoencoder tells more of a tumour than the mean of each gene', async () => {
    const { pooled } = await run('tumour-variational.sim.yaml', 8);
    expect(pooled.mse).toBeLessThan(0.95);
  });

  it('series of other lengths at each site train one bidirectional net with attention', async () => {
    const { pooled } = await run('yeast-phase.sim.yaml', 6);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.1);
  });

  it('three heads with gaps in every label learn a class, a number and the time to an event', async () => {
    const { pooled, bySite } = await run('tumour-heads.sim.yaml', 6);
    const [subtype, grading, relapse] = pooled.heads ?? [];
    expect(pooled.heads?.map(({ head }) => head)).toEqual(['subtype', 'grading', 'relapse']);
    expect(subtype?.count).toBeLessThan(pooled.count);
    expect(subtype?.classes?.accuracy).toBeGreaterThan((subtype?.classes?.majority ?? 1) + 0.1);
    expect(grading?.numbers?.[0]?.r2).toBeGreaterThan(0.2);
    expect(relapse?.survival?.concordance.withinSites).toBeGreaterThan(0.6);
    // the last site has no index: nothing is scored there
    expect(bySite?.at(-1)?.metrics.heads?.[1]?.count).toBe(0);
  });

  it('patients who lack an omic, and a site without one, train and are classified by what they have', async () => {
    const { pooled, bySite } = await run('omics-fusion.sim.yaml', 6);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.3);
    const without = bySite?.at(-1)?.metrics;
    expect(without?.accuracy).toBeGreaterThan((without?.majority ?? 1) + 0.2);
  });

  it('a GRU that resets its state before the product forecasts series', async () => {
    const { pooled } = await run('yeast-gru.sim.yaml', 6, ({ model }) => {
      const { blocks } = model as { blocks: { layers: { type: string }[] }[] };
      Object.assign(blocks[0]?.layers[0] ?? {}, { type: 'gru-v3' });
    });
    expect(pooled.mse).toBeLessThan(pooled.zeroMse ?? 0);
    expect(pooled.mse).toBeLessThan(pooled.lastValueMse ?? 0);
  });

  it('a hidden layer tells genes from landmarks', async () => {
    const { pooled } = await run('landmark-genes.sim.yaml', 6);
    const [genes] = pooled.heads ?? [];
    const errors = (genes?.numbers ?? []).flatMap((column) => column?.r2 ?? []);
    expect(errors).toHaveLength(30);
    expect(errors.reduce((a, b) => a + b, 0) / 30).toBeGreaterThan(0.3);
  });

  it('a gate weighs the omics that a patient has', async () => {
    const { pooled, bySite } = await run('omics-gated.sim.yaml', 6);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.3);
    const without = bySite?.at(-1)?.metrics;
    expect(without?.accuracy).toBeGreaterThan((without?.majority ?? 1) + 0.2);
  });

  it('a bidirectional net tells coding bases from others, each base of a sequence', async () => {
    const { pooled, bySite } = await run('per-base.sim.yaml', 8);
    const [coding] = pooled.heads ?? [];
    // 16 sequences of 300 bases at each of five sites, of whose labels one in fifty is missing
    expect(coding?.count).toBeGreaterThan(0.97 * 80 * 300);
    expect(coding?.count).toBeLessThan(0.99 * 80 * 300);
    expect(coding?.classes?.accuracy).toBeGreaterThan((coding?.classes?.majority ?? 1) + 0.1);
    expect(bySite?.map(({ metrics }) => metrics.count)).toEqual([16, 16, 16, 16, 16]);
  });

  it('bases learnt as yes or no have the error of a chance, which a coin has at a quarter', async () => {
    const { pooled } = await run('per-base.sim.yaml', 4, (document) => {
      const [target] = document['targets'] as Record<string, unknown>[];
      delete target?.['classes'];
      const [head] = (document['model'] as { heads: object[] }).heads;
      Object.assign(head ?? {}, { outputs: 1, loss: { type: 'binary-cross-entropy' } });
    });
    const [column] = pooled.heads?.[0]?.numbers ?? [];
    expect(column?.mse).toBeLessThan(0.235);
    expect(column?.maeInterval).toBeNull();
  });

  it('an encoder that four sites own trains without the fifth, which lacks its omic', async () => {
    const { pooled, bySite } = await run('omics-owners.sim.yaml', 6);
    expect(pooled.accuracy).toBeGreaterThan((pooled.majority ?? 1) + 0.3);
    const without = bySite?.at(-1)?.metrics;
    expect(without?.accuracy).toBeGreaterThan((without?.majority ?? 1) + 0.2);
  });
});
