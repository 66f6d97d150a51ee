import type { RunDocument } from '@regulon/coordinator/runs';
import type { Picture } from './chart-frame.js';
import { numberText } from './html.js';
import { type Line, lineChart } from './line-chart.js';

type Point = Pick<RunDocument['curve'][number], 'arm' | 'iteration' | 'loss' | 'accuracy' | 'heads'>;

/**
 * Learning curves: mean loss and, of classes, share of hits by training round, a line an arm; on training units, and on
 * those of the validation rounds.
 */
export function learningPictures({ curve, validation, schedule }: RunDocument): Picture[] {
  const arms = schedule?.arms ?? [];
  return [
    ...picturesOf(curve, arms, 'Training loss', 'Hits while training'),
    ...picturesOf(validation, arms, 'Validation loss', 'Hits of validation'),
  ];
}

function picturesOf(
  points: readonly Point[],
  arms: NonNullable<RunDocument['schedule']>['arms'],
  lossTitle: string,
  hitsTitle: string,
): Picture[] {
  const own = arms.filter(({ arm }) => points.some((point) => point.arm === arm));
  const linesOf = (value: (point: Point) => number | null): Line[] =>
    own.map(({ arm, label }) => ({
      name: label,
      points: points.flatMap((point) => {
        const y = value(point);
        return point.arm === arm && y !== null && Number.isFinite(y)
          ? [[point.iteration + 1, y] as const]
          : [];
      }),
    }));
  const picture = (title: string, unit: string, lines: Line[]): Picture[] => {
    if (lines.every((line) => line.points.length === 0)) return [];
    const ends = lines.map(
      (line) => `${line.name} ${numberText(line.points[0]?.[1])} to ${numberText(line.points.at(-1)?.[1])}`,
    );
    const words = `From the first to the last round: ${ends.join('; ')}.`;
    return [lineChart({ title, words, names: ['training round', unit], lines })];
  };
  return [
    ...picture(
      lossTitle,
      'mean loss of a unit',
      linesOf(({ loss }) => loss),
    ),
    ...picture(
      hitsTitle,
      'share of units',
      linesOf(({ accuracy }) => accuracy),
    ),
    ...(points[0]?.heads ?? []).flatMap(({ head }, h) =>
      picture(
        `${lossTitle} of ${head}`,
        'mean loss of a target',
        linesOf(({ heads }) => heads?.[h]?.loss ?? null),
      ),
    ),
  ];
}
