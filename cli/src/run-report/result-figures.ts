import type { Plan } from '@regulon/shared/plan';
import { type HeadMetrics, mainScoreOf, type RunResult } from '@regulon/shared/program';
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
