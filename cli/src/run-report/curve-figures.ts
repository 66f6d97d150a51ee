import type { RunDocument } from '@regulon/coordinator/runs';
import type { Picture } from './chart-frame.js';
import { numberText } from './html.js';
import { type Line, lineChart } from './line-chart.js';

/** Learning curves: mean training loss and, of classes, share of hits by training round, a line an arm. */
export function learningPictures({ curve, schedule }: RunDocument): Picture[] {
  const arms = (schedule?.arms ?? []).filter(({ arm }) => curve.some((point) => point.arm === arm));
  if (arms.length === 0) return [];
  const linesOf = (value: (point: RunDocument['curve'][number]) => number | null): Line[] =>
    arms.map(({ arm, label }) => ({
      name: label,
      points: curve.flatMap((point) => {
        const y = value(point);
        return point.arm === arm && y !== null && Number.isFinite(y)
          ? [[point.iteration + 1, y] as const]
          : [];
      }),
    }));
  const picture = (title: string, unit: string, lines: Line[]): Picture[] => {
    if (lines.every(({ points }) => points.length === 0)) return [];
    const ends = lines.map(
      ({ name, points }) => `${name} ${numberText(points[0]?.[1])} to ${numberText(points.at(-1)?.[1])}`,
    );
    const words = `From the first to the last round: ${ends.join('; ')}.`;
    return [lineChart({ title, words, names: ['training round', unit], lines })];
  };
  return [
    ...picture(
      'Training loss',
      'mean loss of a unit',
      linesOf(({ loss }) => loss),
    ),
    ...picture(
      'Hits while training',
      'share of units',
      linesOf(({ accuracy }) => accuracy),
    ),
    ...(curve[0]?.heads ?? []).flatMap(({ head }, h) =>
      picture(
        `Training loss of ${head}`,
        'mean loss of a target',
        linesOf(({ heads }) => heads?.[h]?.loss ?? null),
      ),
    ),
  ];
}
