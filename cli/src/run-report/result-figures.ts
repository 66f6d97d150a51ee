import type { Plan } from '@regulon/shared/plan';
import type { Metrics, RunResult } from '@regulon/shared/program';
import { type Bar, barChart } from './bar-chart.js';
import type { Picture } from './chart-frame.js';
import { intervalText, numberText } from './html.js';

/** Rows of the table of scores: name, value, interval or bound. */
export function scoreRows({ pooled, scores }: RunResult, classes: readonly string[]): string[][] {
  const rows: [string, number | null | undefined, string?][] = [
    ['units scored', pooled.count],
    ['accuracy', pooled.accuracy, intervalText(pooled.accuracyInterval)],
    ['balanced accuracy', pooled.balancedAccuracy],
    ['macro F1', pooled.macroF1],
    ['Matthews correlation', pooled.matthewsCorrelation],
    ...classes.map((name, k): [string, number | null | undefined] => [
      `recall of ${name}`,
      pooled.recallPerClass?.[k],
    ]),
    ...classes.map((name, k): [string, number | null | undefined] => [
      `precision of ${name}`,
      pooled.precisionPerClass?.[k],
    ]),
    ['mean loss', pooled.loss],
    ['mean squared error', pooled.mse],
    ['mean absolute error', scores?.errors?.mae, intervalText(scores?.errors?.maeInterval)],
    ['R²', scores?.errors?.r2],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value, note = '']) => [
      name,
      value === null ? 'undefined (0/0)' : numberText(value, 4),
      note,
    ]);
}

/** The run beside its baselines; null when there is none. */
export function baselinePicture({ task }: Plan, { pooled, baselines = [] }: RunResult): Picture | null {
  const isClasses = task === 'classify';
  const value = ({ accuracy, mse }: Metrics): number | undefined => (isClasses ? accuracy : mse);
  const own = value(pooled);
  if (own === undefined) return null;
  const beside: [string, number | undefined][] = [
    ['majority class', pooled.majority],
    ['last value', pooled.lastValueMse],
    ['zero', pooled.zeroMse],
    ['AR(3)', pooled.ar3Mse],
  ];
  const bars: Bar[] = [
    {
      name: 'this run',
      value: own,
      interval: isClasses ? (pooled.accuracyInterval ?? null) : null,
      isRun: true,
    },
    ...beside.flatMap(([name, score]) => (score === undefined ? [] : [{ name, value: score, isRun: false }])),
    ...baselines.flatMap(({ name, metrics }) => {
      const score = value(metrics);
      const interval = metrics.accuracyInterval ?? null;
      return score === undefined ? [] : [{ name, value: score, interval, isRun: false }];
    }),
  ];
  if (bars.length < 2) return null;
  const better = bars.slice(1).filter((bar) => (isClasses ? bar.value >= own : bar.value <= own));
  const verdict =
    better.length === 0
      ? 'This run is ahead of every baseline shown.'
      : `Not ahead of: ${better.map(({ name }) => name).join(', ')}.`;
  const unit = isClasses ? 'accuracy (longer is better)' : 'mean squared error (shorter is better)';
  const notes = baselines.map(({ name, note }) => ` ${name}: ${note}.`).join('');
  const values = bars.map((bar) => `${bar.name} ${numberText(bar.value)}`).join('; ');
  return barChart('Baselines', `${values}. ${verdict}${notes}`, unit, bars);
}

/** Leave-site-out, or why there is none. */
export function siteSentence({ evaluation, task }: Plan, { bySite }: RunResult): string {
  if (evaluation.split !== 'leave-site-out')
    return `Leave-site-out: not computed, the plan splits ${evaluation.split}.`;
  const scores = (bySite ?? []).flatMap(({ metrics }) => {
    const score = task === 'classify' ? metrics.accuracy : metrics.mse;
    return score === undefined ? [] : [score];
  });
  if (scores.length < 2) return 'Leave-site-out: the scores of single sites are not shown.';
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  const sd = Math.sqrt(scores.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (scores.length - 1));
  return `Leave-site-out over ${scores.length} sites: mean ${numberText(mean)}, standard deviation ${numberText(sd)}.`;
}
