import type { RunResult } from '@regulon/shared/program';
import type { Picture } from './chart-frame.js';
import { htmlTable, intervalText, numberText } from './html.js';
import { type Line, lineChart } from './line-chart.js';

type Scores = NonNullable<RunResult['scores']>;
type Curves = NonNullable<NonNullable<Scores['classes']>[number]>;

/** ROC and precision–recall of each class against the others; classes that may not be shown are named. */
export function curvePictures(classes: NonNullable<Scores['classes']>, names: readonly string[]): Picture[] {
  const shown = classes.flatMap((curves, k) =>
    curves ? [{ curves, name: names[k] ?? `class ${k + 1}` }] : [],
  );
  const hidden = names.filter((_, k) => classes[k] === null);
  const rest = hidden.length === 0 ? '' : ` Not shown, too few units in a cell: ${hidden.join(', ')}.`;
  if (shown.length === 0) return [];
  const lines = (of: (curves: Curves) => Line['points']): Line[] =>
    shown.map(({ curves, name }) => ({ name, points: of(curves) }));
  const roc = shown.map(({ curves: { rocArea, rocInterval }, name }) => {
    const interval = rocInterval ? `, 95 % interval ${intervalText(rocInterval)}` : '';
    return `${name} ${bounded(rocArea)}${interval}`;
  });
  const precision = shown.map(({ curves, name }) => `${name} ${bounded(curves.averagePrecision)}`);
  return [
    lineChart({
      title: 'ROC curves, each class against the others',
      words: `Area under the curve: ${roc.join('; ')}.${rest}`,
      names: ['false positive rate', 'true positive rate'],
      lines: lines(({ roc: points }) => points),
      ...{ shares: true, diagonal: 'what chance scores' },
    }),
    lineChart({
      title: 'Precision and recall, each class against the others',
      words: `Average precision: ${precision.join('; ')}.${rest}`,
      names: ['recall', 'precision'],
      lines: lines(({ precisionRecall }) => precisionRecall),
      shares: true,
    }),
  ];
}

/** `0.91 ± 0.002 (binning)`: the bound covers the order of units inside a cell. */
function bounded(score: { value: number; bound: number } | null): string {
  if (!score) return 'undefined';
  return score.bound === 0
    ? `${numberText(score.value)} (exact)`
    : `${numberText(score.value)} ± ${numberText(score.bound, 2)} (cells)`;
}

/** Mean confidence against share of hits, over ten bins. */
export function calibrationPicture({ ece, brier, bins }: NonNullable<Scores['calibration']>): Picture {
  const hidden = bins.filter(({ units }) => units === null).length;
  const points = bins.flatMap(({ confidence, accuracy }) =>
    confidence === null || accuracy === null ? [] : [[confidence, accuracy] as const],
  );
  const rest = hidden === 0 ? '' : ` ${hidden} bins of 1 to 4 units are not shown.`;
  return lineChart({
    title: 'Calibration',
    words: `Expected calibration error ${numberText(ece)}, Brier score ${numberText(brier)}.${rest}`,
    names: ['confidence', 'share of hits'],
    lines: [{ name: 'model', points }],
    ...{ shares: true, diagonal: 'a model that knows how sure it may be' },
  });
}

/** The confusion matrix as a table: rows are true classes. */
export function confusionTable(confusion: readonly number[], names: readonly string[]): string {
  const rows = names.map((name, k) => [
    name,
    ...confusion.slice(k * names.length, (k + 1) * names.length).map((n) => String(n)),
  ]);
  return htmlTable(['true class', ...names.map((name) => `called ${name}`)], rows);
}
