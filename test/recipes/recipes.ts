import type { Metrics, RunResult } from '@regulon/shared/program';
import { dividePhases } from './yeast-phases.js';

/** A number of one run, and what it has to reach: a fixed number, or one of the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly goal: number;
  readonly better: 'higher' | 'lower';
}

/** A system on real or generated data. */
export interface Recipe {
  /** of the systems that a federation of hospitals would train; see docs/models.md */
  readonly name: string;
  /** file in `examples/` */
  readonly plan: string;
  /** folder below REGULON_DATA; absent: data are simulated */
  readonly data?: string;
  /** makes the folder of data from the one below REGULON_DATA */
  readonly arrange?: (from: string, to: string) => void;
  /** replaces the split of the plan */
  readonly split?: 'det5';
  readonly figures: (result: RunResult) => Figure[];
}

const BRCA = 'tcga_brca_flimma';
const YEAST = 'yeast_cellcycle';

const accuracyAtLeast =
  (goal: number) =>
  ({ pooled }: RunResult): Figure[] => [
    { name: 'accuracy', value: pooled.accuracy ?? NaN, goal, better: 'higher' },
  ];

/** Of the second class against the first. */
const rocAreaAtLeast =
  (goal: number) =>
  ({ scores }: RunResult): Figure[] => [
    { name: 'ROC area', value: scores?.classes?.[1]?.rocArea?.value ?? NaN, goal, better: 'higher' },
  ];

/** Over the labels of the only head. */
const headAccuracyAtLeast =
  (goal: number) =>
  ({ pooled }: RunResult): Figure[] => [
    { name: 'accuracy', value: pooled.heads?.[0]?.classes?.accuracy ?? NaN, goal, better: 'higher' },
  ];

const errorAtMost =
  (goal: number) =>
  ({ pooled }: RunResult): Figure[] => [{ name: 'MSE', value: pooled.mse ?? NaN, goal, better: 'lower' }];

/** Everywhere below the last value, and at some sites below AR(3). */
const forecasts =
  (...againstAr3: readonly string[]) =>
  ({ bySite }: RunResult): Figure[] =>
    (bySite ?? []).flatMap(({ site, metrics }): Figure[] => {
      const row = (name: string, baseline: keyof Metrics & ('lastValueMse' | 'ar3Mse')): Figure => ({
        name: `MSE ${site}, ${name}`,
        ...{ value: metrics.mse ?? NaN, goal: metrics[baseline] ?? NaN, better: 'lower' },
      });
      return [
        row('last value', 'lastValueMse'),
        ...(againstAr3.includes(site) ? [row('AR(3)', 'ar3Mse')] : []),
      ];
    });

/** Every system with a threshold that a run can be measured against. */
export const recipes: readonly Recipe[] = [
  { name: 'S01', plan: 'brca3-mlp.yaml', data: BRCA, figures: accuracyAtLeast(0.8) },
  { name: 'S01-det5', plan: 'brca3-mlp.yaml', data: BRCA, split: 'det5', figures: accuracyAtLeast(0.77) },
  { name: 'S02-det5', plan: 'brca3-deep.yaml', data: BRCA, split: 'det5', figures: accuracyAtLeast(0.77) },
  { name: 'S03', plan: 'brca3-cnn.yaml', data: BRCA, figures: accuracyAtLeast(0.76) },
  { name: 'S03-det5', plan: 'brca3-cnn.yaml', data: BRCA, split: 'det5', figures: accuracyAtLeast(0.75) },
  { name: 'S04', plan: 'brca3-grid.yaml', data: BRCA, figures: accuracyAtLeast(0.74) },
  { name: 'S06', plan: 'yeast-rnn.yaml', data: YEAST, figures: forecasts('cdc28') },
  { name: 'S07', plan: 'yeast-lstm.yaml', data: YEAST, figures: forecasts('cdc28', 'elu') },
  { name: 'S08', plan: 'yeast-gru.yaml', data: YEAST, figures: forecasts('cdc28', 'elu') },
  {
    name: 'S09',
    plan: 'yeast-phase.yaml',
    data: YEAST,
    arrange: dividePhases,
    figures: accuracyAtLeast(0.7),
  },
  { name: 'S11', plan: 'brca3-autoencoder.yaml', data: BRCA, figures: errorAtMost(0.62) },
  { name: 'S11-conv', plan: 'brca3-conv-autoencoder.yaml', data: BRCA, figures: errorAtMost(0.95) },
  { name: 'S15', plan: 'motif-scanner.sim.yaml', figures: rocAreaAtLeast(0.96) },
  { name: 'S24', plan: 'per-base.sim.yaml', figures: headAccuracyAtLeast(0.8) },
  { name: 'S26', plan: 'brca3-graph.yaml', data: BRCA, figures: accuracyAtLeast(0.74) },
];
