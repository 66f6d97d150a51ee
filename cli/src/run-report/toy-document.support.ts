import type { RunDocument } from '@regulon/coordinator/runs';

const digest = `sha256:${'0'.repeat(64)}`;
const bounded = (value: number, bound: number) => ({ value, bound });
const curves = {
  ...{ rocArea: bounded(0.91, 0.002), rocInterval: [0.85, 0.96] as [number, number] },
  averagePrecision: bounded(0.8, 0),
  roc: [
    [0, 0],
    [0.1, 0.8],
    [1, 1],
  ] as [number, number][],
  precisionRecall: [
    [0.5, 1],
    [1, 0.4],
  ] as [number, number][],
};

/** A finished run of two classes, scored by one fifth of the units, not public. */
export const toyDocument: RunDocument = {
  ...{ schema: 'regulon.run/1', run: `run_${'0a'.repeat(16)}`, name: 'toy', title: 'A <toy> & "more"' },
  ...{ status: 'COMPLETED', since: 1, created: 1, started: 1, finished: 1_700_000_000_000, reason: null },
  plan: {
    ...{ schema: 'regulon.plan/1', name: 'toy', title: 'A <toy> & "more"', seed: 3 },
    sites: ['a', 'b', 'c', 'd', 'e'],
    dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
    task: 'classify',
    label: {
      classes: [
        { name: 'x', rule: 'x' },
        { name: 'y', rule: 'not x' },
      ],
    },
    model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
    training: { rounds: 2, optimizer: { name: 'adam' } },
    evaluation: { split: 'holdout' },
  },
  ...{ planHash: digest, isPublic: false },
  sites: ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({
    ...{
      id: i + 1,
      name,
      connected: true,
      since: 1,
      approved: true,
      refused: null,
      refusedAt: null,
      dataset: null,
    },
  })),
  schedule: { rounds: 4, arms: [{ arm: 0, label: 'all' }] },
  now: null,
  rounds: [0, 1].map((iteration) => ({
    ...{ round: iteration, attempt: 0, purpose: 'train' as const, step: 'train', arm: 0, iteration },
    ...{ seconds: 1, survivors: [1, 2, 3, 4, 5], loss: 0.5, accuracy: 0.7, units: 80 },
    ...{ bytesUpPerSite: 1200, bytesDownPerSite: 1200, stageSeconds: {} },
  })),
  coverage: { sites: 5, rounds: 4, closed: 4, partial: [], text: '4 of 4 rounds with 5 of 5 sites' },
  curve: [0, 1].map((iteration) => ({
    ...{ round: iteration, arm: 0, iteration, loss: 0.7 - 0.2 * iteration, accuracy: 0.6, survivors: 5 },
  })),
  validation: [0, 1].map((iteration) => ({
    ...{ round: 2 * iteration + 1, arm: 0, iteration, loss: 0.8 - 0.1 * iteration, accuracy: 0.65 },
    ...{ units: 40, survivors: 5 },
  })),
  result: {
    pooled: {
      ...{ count: 40, loss: 0.4, accuracy: 0.8, accuracyInterval: [0.65, 0.9], balancedAccuracy: null },
      ...{ majority: 0.55, recallPerClass: [0.8, null], precisionPerClass: [0.8, 0.8] },
      confusion: [17, 5, 3, 15],
    },
    bySite: null,
    scores: {
      classes: [curves, null],
      calibration: {
        ...{ ece: 0.05, brier: 0.3 },
        bins: [
          { units: null, confidence: null, accuracy: null },
          { units: 38, confidence: 0.82, accuracy: 0.8 },
        ],
      },
    },
  },
  ...{ modelDigest: digest, models: [], log: { size: 9, root: digest }, eventLoopMaxMs: 1 },
};
