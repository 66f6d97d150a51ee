import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '@regulon/shared/plan';
import type { HeadMetrics, RunResult } from '@regulon/shared/program';
import { absentBaselines, baselinePictures } from './baseline-figures.js';
import { toyDocument } from './toy-document.support.js';

const plan = parsePlan(toyDocument.plan);
const heads = (index: number, order: number): HeadMetrics[] => [
  { head: 'grade', count: 9, numbers: [{ mae: 1, maeInterval: null, mse: 2, r2: index }] },
  { head: 'relapse', count: 9, survival: { events: 5, concordance: { withinSites: order, overall: null } } },
];
const resultOf = (own: [number, number], linear: [number, number]): RunResult => ({
  ...{ pooled: { count: 9, heads: heads(...own) }, bySite: null },
  baselines: [{ name: 'linear', note: 'exact', metrics: { count: 9, heads: heads(...linear) } }],
});

describe('the bars of a run beside its baselines', () => {
  it('are those of each head, beside what needs no model', () => {
    const result = resultOf([0.4, 0.7], [0.3, 0.75]);
    const words = baselinePictures({ ...plan, task: 'heads' }, result).map((picture) => picture.words);
    expect(words).toEqual([
      'this run 0.4; mean of the target 0; linear 0.3. This run is ahead of every baseline shown. linear: exact.',
      'this run 0.7; no order 0.5; linear 0.75. Not ahead of: linear. linear: exact.',
    ]);
  });

  it('of a forecast are longer for larger errors, so that shorter is better', () => {
    const pooled = { count: 9, mse: 0.2, lastValueMse: 0.3, zeroMse: 0.25, ar3Mse: 0.19 };
    const [picture] = baselinePictures({ ...plan, task: 'forecast' }, { pooled, bySite: null });
    expect(picture?.words).toBe('this run 0.2; last value 0.3; zero 0.25; AR(3) 0.19. Not ahead of: AR(3).');
  });

  it('come with the names of those that are missing, and with the reason why forests are', () => {
    const baselines = [{ name: 'ridge' as const, lambda: 1 }];
    const words = absentBaselines({ ...plan, evaluation: { ...plan.evaluation, baselines } });
    expect(words).toMatch(
      /^The plan does not ask for the baselines logistic, elastic-net, pca-logistic, lone-sites\. /,
    );
    expect(words).toContain('only sums leave a site');
    expect(absentBaselines({ ...plan, task: 'forecast' })).toBe('');
  });

  it('are none where nothing was scored, or nothing stands beside it', () => {
    expect(baselinePictures(plan, { pooled: { count: 0 }, bySite: null })).toEqual([]);
    expect(
      baselinePictures({ ...plan, task: 'reconstruct' }, { pooled: { count: 4, mse: 1 }, bySite: null }),
    ).toEqual([]);
  });
});
