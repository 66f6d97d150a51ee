import { acrossOf, COLOURS, FRAME, label, type Picture, place } from './chart-frame.js';
import { intervalText, numberText } from './html.js';

/** One bar; the run's own is filled, those beside it are hatched by their border alone. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly interval?: readonly [number, number] | null;
  readonly isRun: boolean;
}

const NAMES = 150;

/** Horizontal bars with their intervals, the value at each. */
export function barChart(title: string, words: string, unit: string, bars: readonly Bar[]): Picture {
  const most = Math.max(...bars.map(({ value, interval }) => Math.max(value, interval?.[1] ?? 0)), 1e-12);
  const x = acrossOf(0, most * 1.15);
  const scale = (value: number): number =>
    NAMES +
    ((x.at(value) - FRAME.left) * (FRAME.width - FRAME.right - NAMES)) /
      (FRAME.width - FRAME.right - FRAME.left);
  const height = Math.min(52, (FRAME.height - FRAME.top - FRAME.bottom) / Math.max(1, bars.length));
  const drawn = bars.map(({ name, value, interval, isRun }, i) => {
    const y = FRAME.top + i * height;
    const middle = y + height / 2;
    const fill = isRun ? `fill="${COLOURS[0]}"` : `fill="none" stroke="${COLOURS[0]}"`;
    const bar = `<rect x="${NAMES}" y="${place(y + height * 0.15)}" width="${place(Math.max(0, scale(value) - NAMES))}" height="${place(height * 0.7)}" ${fill}/>`;
    const whisker = interval
      ? `<line class="axis" x1="${place(scale(interval[0]))}" x2="${place(scale(interval[1]))}" y1="${place(middle)}" y2="${place(middle)}"/>`
      : '';
    const end = scale(Math.max(value, interval?.[1] ?? 0)) + 6;
    return (
      bar +
      whisker +
      label(NAMES - 8, middle + 4, name.slice(0, 24), 'end') +
      label(end, middle + 4, numberText(value), 'start')
    );
  });
  return {
    ...{ title, words },
    inner: drawn.join('') + label((NAMES + FRAME.width) / 2, FRAME.height - 12, unit, 'middle'),
    numbers: {
      titles: ['', unit, '95 % interval'],
      rows: bars.map(({ name, value, interval }) => [name, numberText(value), intervalText(interval)]),
    },
  };
}
