import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hex, rootOfBytes } from '@regulon/shared/crypto';
import { emptySpecification, encodeSpecification, panelDigest } from '@regulon/shared/genomics';
import type { FeatureSpecification } from '@regulon/shared/genomics';
import { manifestOf, type ModelDeclaration, parameterCount } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import { digestText } from '@regulon/shared/transparency';
import { readPlanFile } from '../plan-file/index.js';

export const GENES = ['ESR1', 'FOXA1', 'GATA3', 'KRT5', 'MKI67', 'XBP1'] as const;
/** Genes that the preparation keeps. */
export const KEPT = [0, 1, 3, 4, 5] as const;
const MEAN = [1, 0.5, -1, 2, 0];
const SD = [1, 2, 0.5, 1, 4];

const example = fileURLToPath(new URL('../../../examples/brca3-mlp.yaml', import.meta.url));

/** A plan of two classes. @param more members in place of those of a classification */
function planOf(model: unknown, more: Readonly<Record<string, unknown>> = {}): Plan {
  return readPlanFile(example, (document) => {
    document['dataset'] = { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' };
    document['label'] = {
      classes: [
        { name: 'Basal', rule: 'Basal' },
        { name: 'Luminal', rule: 'Lum' },
      ],
    };
    document['prepare'] = [{ step: 'log2' }, { step: 'top-variance', k: KEPT.length }, { step: 'z-score' }];
    document['model'] = model;
    document['evaluation'] = { split: 'holdout' };
    Object.assign(document, more);
  });
}

/** z-scores of logarithms. @param more fitted steps behind them */
const zScored = (more: FeatureSpecification['steps']): FeatureSpecification => ({
  ...logarithms,
  steps: [
    ...logarithms.steps,
    { step: 'z-score', mean: Float64Array.from(MEAN), sd: Float64Array.from(SD) },
    ...more,
  ],
});

/** Logarithms of the kept genes, not centred. */
export const logarithms: FeatureSpecification = {
  ...emptySpecification({ panelDigest: panelDigest(GENES), genes: GENES.length }),
  keptGenes: Uint32Array.from(KEPT),
  steps: [
    { step: 'log2', pseudocount: 1 },
    { step: 'top-variance', k: KEPT.length, keptGenes: Uint32Array.from(KEPT) },
  ],
};

/** The same behind the moments of every gene: gene g of the panel has a mean of g / 2. */
export const withMeans: FeatureSpecification = {
  ...logarithms,
  steps: [
    { step: 'log2', pseudocount: 1 },
    {
      ...{ step: 'variance', mean: Float64Array.from(GENES, (_, g) => g / 2) },
      ...{ variance: new Float64Array(GENES.length).fill(1), keptGenes: Uint32Array.from(GENES.keys()) },
    },
    { step: 'top-variance', k: KEPT.length, keptGenes: Uint32Array.from(KEPT) },
  ],
};

/** The z-score of a raw sample, gene by gene that is kept. */
export const zScores = (raw: readonly number[]): number[] =>
  KEPT.map((gene, i) => (Math.log2((raw[gene] ?? NaN) + 1) - (MEAN[i] ?? 0)) / (SD[i] ?? 1));

/** A specification as a model's description holds it. */
export const encoded = (specification: FeatureSpecification): string =>
  Buffer.from(encodeSpecification(specification)).toString('base64');

/** A model as `model pull` writes it. */
export interface ToyModel {
  readonly path: string;
  /** flat, in manifest order */
  readonly weights: Float32Array;
  readonly plan: Plan;
}

/** Write a pulled model of one block. @param more fitted steps behind the z-score @param change of its description */
export function writeModel(
  folder: string,
  layers: readonly unknown[],
  options: { more?: FeatureSpecification['steps']; change?: object } = {},
): ToyModel {
  const { more = [], change = {} } = options;
  return writePlanModel(folder, planOf({ blocks: [{ name: 'trunk', layers }] }), { change, ...toyOf(more) });
}

/** Preparation and panel of the toy samples. @param more fitted steps behind the z-score */
const toyOf = (more: FeatureSpecification['steps'] = []) => ({
  specification: zScored(more),
  panel: GENES,
});

/** Write a pulled model of two heads: a class, and a number that is learnt as (value − 50) / 10. */
export function writeTwoHeads(folder: string): ToyModel {
  const head = { from: 'features', layers: [{ type: 'dense', units: 'outputs' }] };
  const model = {
    blocks: [
      { name: 'subtype', ...head },
      { name: 'grading', ...head },
    ],
    heads: [
      { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
      { block: 'grading', loss: { type: 'squared-error' } },
    ],
  };
  const classes = ['Basal', 'Lum'].map((rule) => ({ name: rule, rule }));
  const targets = [
    { head: 'subtype', kind: 'classes', classes },
    { head: 'grading', kind: 'numbers', columns: ['index'], center: 50, scale: 10 },
  ];
  return writePlanModel(folder, planOf(model, { task: 'heads', label: undefined, targets }), toyOf());
}

/** Write a pulled model of a plan, with made-up weights. @param change of its description */
export function writePlanModel(
  folder: string,
  plan: Plan,
  {
    specification,
    panel,
    change = {},
  }: { specification: FeatureSpecification; panel: readonly string[]; change?: object },
): ToyModel {
  mkdirSync(folder, { recursive: true });
  const declaration: ModelDeclaration = plan.model;
  const specs = manifestOf(declaration, modelFrameOf(plan, specification.keptGenes.length));
  const weights = Float32Array.from({ length: parameterCount(specs) }, (_, i) => Math.sin(1.7 * i + 0.3));
  const bytes = new Uint8Array(weights.buffer);
  const path = join(folder, 'model.f32');
  const description = {
    ...{ schema: 'regulon.model/1', digest: digestText(rootOfBytes(bytes)), run: `run_${'0a'.repeat(16)}` },
    ...{ arm: 0, declaration, plan, dtype: 'float32', byteOrder: 'little', bytes: bytes.length, weights: [] },
    featureSpecification: encoded(specification),
    panelDigest: `sha256:${hex(panelDigest(panel))}`,
  };
  writeFileSync(path, bytes);
  writeFileSync(`${path}.json`, JSON.stringify({ ...description, ...change }));
  return { path, weights, plan };
}

/** Counts of a sample, one a gene of the panel. */
export const rawSample = (u: number): number[] =>
  GENES.map((_, g) => Math.round(50 + 50 * Math.cos(u + 2.1 * g)));

/** Write a table of samples. @param genes in their order */
export function writeTable(path: string, units: readonly number[], genes: readonly string[] = GENES): string {
  const header = ['gene', ...units.map((u) => `P${u}`)].join('\t');
  const rows = genes.map((gene, g) => [gene, ...units.map((u) => rawSample(u)[g])].join('\t'));
  writeFileSync(path, `${[header, ...rows].join('\n')}\n`);
  return path;
}

/** Write their classes: even ones are basal. */
export function writeClasses(path: string, units: readonly number[]): string {
  const rows = units.map((u) => `P${u}\t${1 - (u % 2)}\t${u % 2}`);
  writeFileSync(path, `${['unit\tBasal\tLum', ...rows].join('\n')}\n`);
  return path;
}
