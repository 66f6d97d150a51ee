import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadDataset, viewOf } from '../../data/dataset.js';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { networkOf, trainedOn } from './attribution.support.js';
import {
  AttributionSums,
  ExplainedNetwork,
  integratedGradients,
  midpoints,
  type Question,
  rankGenes,
  saliency,
} from './index.js';

const shared = process.env['REGULON_DATA'] ?? join(process.cwd(), '..', 'shared', 'data');
const folder = join(shared, 'tcga_brca_flimma');
const withData = existsSync(folder) ? describe : describe.skip;

/** Genes that tell luminal tumours from basal ones. */
const LUMINAL = ['ESR1', 'AGR3', 'FOXA1', 'XBP1', 'SPDEF', 'MLPH'];
const GENES = 2000;
const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

interface Tumours {
  readonly genes: readonly string[];
  /** z-scores of the genes that vary most, [n, GENES] */
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

async function tumours(): Promise<Tumours> {
  const classes = [
    { name: 'Basal', rule: 'Basal' },
    { name: 'Lum', rule: 'Lum' },
  ];
  const labels: number[] = [];
  const rows: Float64Array[] = [];
  let names: readonly string[] = [];
  for (const client of ['c1', 'c2', 'c3', 'c4', 'c5']) {
    const at = (name: string): string => join(folder, client, name);
    const source = { counts: at('counts.tsv.gz'), labels: at('design.tsv') };
    const dataset = await loadDataset({ ...source, kind: 'expression', scale: 'counts' });
    const view = viewOf(dataset, classes);
    names = dataset.genes;
    labels.push(...(view.labels ?? []));
    for (let u = 0; u < view.n; u++) {
      rows.push(Float64Array.from(view.values.subarray(u * view.genes, (u + 1) * view.genes)));
    }
  }
  return { labels: Int32Array.from(labels), ...scaled(rows, names) };
}

function scaled(counts: readonly Float64Array[], names: readonly string[]) {
  const rows = counts.map((row) => {
    const library = row.reduce((total, x) => total + x, 0);
    return row.map((x) => Math.log2((x * 1e6) / library + 1));
  });
  const statistics = names.map((_, g) => {
    const values = rows.map((row) => row[g]!);
    const mean = sum(values) / values.length;
    return { mean, variance: sum(values.map((x) => (x - mean) ** 2)) / values.length };
  });
  const ranked = rankGenes(
    names,
    statistics.map(({ variance }) => variance),
  );
  const genes = ranked.genes.slice(0, GENES);
  const positions = new Map(names.map((name, g) => [name, g]));
  const chosen = genes.map((name) => positions.get(name)!);
  const features = Float32Array.from(
    rows.flatMap((row) =>
      chosen.map((g) => (row[g]! - statistics[g]!.mean) / Math.sqrt(statistics[g]!.variance)),
    ),
  );
  return { genes, features };
}

withData('luminal against basal tumours, 2,000 genes (needs the shared data)', () => {
  let backend: TrainingBackend;
  let data: Tumours;
  beforeAll(async () => {
    backend = await WasmBackend.start();
    data = await tumours();
  });

  /** Rank of each gene by Σ|attribution|, from 1. */
  function ranksOf(model: ExplainedNetwork, attribute: (question: Question) => Float64Array) {
    const sums = new AttributionSums(2, GENES);
    data.labels.forEach((label, u) => {
      const unit = Float64Array.from(data.features.subarray(u * GENES, (u + 1) * GENES));
      sums.add(label, attribute({ unit, output: label }));
    });
    const [basal, luminal] = sums.released();
    const { genes } = rankGenes(
      data.genes,
      basal!.absolute.map((a, g) => a + luminal!.absolute[g]!),
    );
    model.dispose();
    return new Map(genes.map((name, i) => [name, i + 1]));
  }

  it('weights of a logistic regression: five known genes are among the first 40, AGR3 among 60', async () => {
    const network = networkOf([{ type: 'dense', units: 'outputs' }], [GENES]);
    const n = data.labels.length;
    // a strong ridge, from zeros: genes that tell the classes apart share the weight
    const optimizer = { name: 'sgd', learningRate: 2e-3, momentum: 0.9, weightDecay: 1 } as const;
    const options = { epochs: 400, batchSize: n, scale: 0, optimizer };
    const weights = await trainedOn(network, backend, data, options);
    const model = new ExplainedNetwork(network, weights, backend);
    const ranks = ranksOf(model, (question) => saliency(model, question));
    for (const gene of LUMINAL) expect(ranks.get(gene)).toBeLessThanOrEqual(gene === 'AGR3' ? 60 : 40);
  });

  it('integrated gradients of an MLP: the known genes are among the first 200', async () => {
    const layers = [
      { type: 'dense', units: 128, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ];
    const network = networkOf(layers, [GENES]);
    const optimizer = { name: 'sgd', learningRate: 1e-2, momentum: 0.9, weightDecay: 0.1 } as const;
    const options = { epochs: 40, batchSize: 32, scale: 0.02, optimizer };
    const weights = await trainedOn(network, backend, data, options);
    const model = new ExplainedNetwork(network, weights, backend);
    const mean = new Float64Array(GENES);
    const ranks = ranksOf(model, (q) => integratedGradients(model, q, mean, midpoints(8)).values);
    for (const gene of LUMINAL) expect(ranks.get(gene)).toBeLessThanOrEqual(200);
  });
});
