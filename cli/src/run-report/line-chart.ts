import { acrossOf, axesOf, COLOURS, DASHES, FRAME, label, type Picture, place, upOf } from './chart-frame.js';
import { numberText } from './html.js';

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a chart of lines shows. */
export interface LineChart {
  readonly title: string;
  readonly words: string;
  readonly names: readonly [across: string, up: string];
  readonly lines: readonly Line[];
  /** both axes from 0 to 1, as of shares */
  readonly shares?: boolean;
  /** the legend stands at the foot, as it does for shares */
  readonly isLegendLow?: boolean;
  /** the diagonal from (0, 0) to (1, 1), in words of what it means */
  readonly diagonal?: string;
}

const LARGEST_LEGEND = 7;

/** Lines over two scales. Points in the table: at most twenty a line. */
export function lineChart({ title, words, names, lines, shares, isLegendLow, diagonal }: LineChart): Picture {
  const points = lines.flatMap((line) => line.points);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const x = shares ? acrossOf(0, 1) : acrossOf(Math.min(...xs), Math.max(...xs));
  const y = shares ? upOf(0, 1) : upOf(Math.min(0, ...ys), 1.08 * Math.max(0, ...ys));
  const paths = lines.map(({ points: own }, i) => {
    const at = own.map(([a, b]) => `${place(x.at(a))},${place(y.at(b))}`).join(' ');
    const style = `stroke="${COLOURS[i % COLOURS.length]}" stroke-dasharray="${DASHES[i % DASHES.length]}"`;
    return `<polyline class="line" points="${at}" ${style}/>`;
  });
  const reference = diagonal
    ? `<line class="axis" stroke-dasharray="2 4" x1="${place(x.at(0))}" y1="${place(y.at(0))}" x2="${place(x.at(1))}" y2="${place(y.at(1))}"/>`
    : '';
  return {
    ...{ title, words: diagonal ? `${words} Dotted: ${diagonal}.` : words },
    inner:
      axesOf(x, y, names) +
      reference +
      paths.join('') +
      legendOf(lines, shares === true || isLegendLow === true),
    numbers: { titles: ['line', ...names], rows: lines.flatMap(rowsOf) },
  };
}

function rowsOf({ name, points }: Line): string[][] {
  const step = Math.max(1, Math.ceil(points.length / 20));
  const shown = points.filter((_, i) => i % step === 0 || i === points.length - 1);
  return shown.map(([a, b]) => [name, numberText(a), numberText(b)]);
}

/** @param isLow at the foot, where curves of shares rarely are */
function legendOf(lines: readonly Line[], isLow: boolean): string {
  if (lines.length < 2) return '';
  const shown = lines.slice(0, LARGEST_LEGEND);
  const right = FRAME.width - FRAME.right - (isLow ? 40 : 0);
  const top = isLow ? FRAME.height - FRAME.bottom - 15 * shown.length - 8 : FRAME.top;
  return shown
    .map(({ name }, i) => {
      const y = top + 12 + 15 * i;
      const line = `<line class="line" x1="${right - 30}" x2="${right - 4}" y1="${y - 4}" y2="${y - 4}" stroke="${COLOURS[i]}" stroke-dasharray="${DASHES[i]}"/>`;
      return line + label(right - 36, y, name.slice(0, 28), 'end');
    })
    .join('');
}
