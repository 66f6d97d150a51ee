import type { Histogram } from '@regulon/client/data';

const BARS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** A histogram as one line: its bars between the ends of its axis. */
export function histogramLines(histogram: Histogram | null): string {
  if (!histogram) return '–';
  const { counts, edges, axis } = histogram;
  const most = Math.max(...counts);
  // all in the first bin: a single number has an axis of its own
  if (counts[0] === most && counts.slice(1).every((n) => n === 0)) return `${numberText(edges[0])} (all)`;
  const bars = counts.map((n) => BARS[n === 0 ? 0 : Math.max(1, Math.round((8 * n) / most))]).join('');
  const unit = axis === 'log10' ? ' (log)' : '';
  return `${numberText(edges[0])} ▕${bars}▏ ${numberText(edges.at(-1))}${unit}`;
}

/** A number in at most four digits; a whole one as it is, so that no part is larger than the whole. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value !== 0 && (Math.abs(value) >= 1e7 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Number(value.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 4 });
}
