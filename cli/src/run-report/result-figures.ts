import type { Plan } from '@regulon/shared/plan';
import { type HeadMetrics, mainScoreOf, type Metrics, type RunResult } from '@regulon/shared/program';
import { type Bar, barChart } from './bar-chart.js';
import type { Picture } from './chart-frame.js';
import { intervalText, numberText } from './html.js';

type ScoreRow = [name: string, value: number | null | undefined, note?: string];

/** Rows of one head of several. */
function headRows({ head, count, loss, classes, numbers, survival }: HeadMetrics): ScoreRow[] {
  const { withinSites, overall } = survival?.concordance ?? {};
  const rows: ScoreRow[] = [
    ['units with a target', count],
    ['accuracy', classes?.accuracy, intervalText(classes?.accuracyInterval)],
    ['balanced accuracy', classes?.balancedAccuracy],
    ...(numbers ?? []).flatMap((column, c): ScoreRow[] => {
      const name = numbers?.length === 1 ? '' : ` of column ${c + 1}`;
      return [
        [`mean absolute error${name}`, column && column.mae, intervalText(column?.maeInterval)],
        [`R²${name}`, column && column.r2],
      ];
    }),
    ['events', survival?.events],
    ['C-index inside the sites', withinSites],
    ['C-index', overall?.value, overall ? `± ${numberText(overall.bound)} by the grid` : ''],
    ['mean loss', loss],
  ];
  return rows.map(([name, ...rest]) => [`${head}: ${name}`, ...rest]);
}

/** Rows of the table of scores: name, value, interval or bound. */
export function scoreRows({ pooled, scores }: RunResult, classes: readonly string[]): string[][] {
  const rows: ScoreRow[] = [
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
    ...(pooled.heads ?? []).flatMap(headRows),
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
  const first = (bySite ?? [])[0]?.metrics.heads ?? [];
  if (first.length > 0) return first.map(({ head }, h) => headSentence(head, h, bySite ?? [])).join(' ');
  const scores = (bySite ?? []).flatMap(({ metrics }) => {
    const score = task === 'classify' ? metrics.accuracy : metrics.mse;
    return score === undefined ? [] : [score];
  });
  return spreadSentence('', scores);
}

function headSentence(head: string, h: number, bySite: NonNullable<RunResult['bySite']>): string {
  const scores = bySite.flatMap(({ metrics }) => {
    const own = metrics.heads?.[h];
    const { name = '', value = null } = own ? mainScoreOf(own) : {};
    return value === null ? [] : [{ name, value }];
  });
  return spreadSentence(
    ` of ${head} (${scores[0]?.name ?? 'no score'})`,
    scores.map(({ value }) => value),
  );
}

function spreadSentence(of: string, scores: readonly number[]): string {
  if (scores.length < 2) return `Leave-site-out${of}: the scores of single sites are not shown.`;
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  const sd = Math.sqrt(scores.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (scores.length - 1));
  return `Leave-site-out${of} over ${scores.length} sites: mean ${numberText(mean)}, standard deviation ${numberText(sd)}.`;
}
