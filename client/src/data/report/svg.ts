import { type Histogram } from '../profile/index.js';

const WIDTH = 460;
const HEIGHT = 220;
const PAD = 36;
/** Colours that remain apart without red or green (Okabe and Ito 2008); shapes tell them apart, too. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#000000', '#f0e442'];

/** Text as it may stand in HTML. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const numberText = (x: number): string =>
  Number(x.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });

/** A histogram with its numbers in words. */
export function histogramSvg(title: string, histogram: Histogram | null): string {
  if (!histogram) return figure(title, 'no values', '');
  const { counts, edges, axis } = histogram;
  const most = Math.max(1, ...counts);
  const width = (WIDTH - 2 * PAD) / counts.length;
  const bars = counts.map((n, i) => {
    const height = ((HEIGHT - 2 * PAD) * n) / most;
    const at = `x="${(PAD + i * width).toFixed(1)}" y="${(HEIGHT - PAD - height).toFixed(1)}"`;
    return `<rect ${at} width="${(width - 1).toFixed(1)}" height="${height.toFixed(1)}" fill="${COLOURS[0]}"/>`;
  });
  const [low, high] = [numberText(edges[0] ?? 0), numberText(edges.at(-1) ?? 0)];
  const peak = counts.indexOf(Math.max(...counts));
  const words = `from ${low} to ${high}${axis === 'log10' ? ' on a logarithmic axis' : ''}; most (${most}) between ${numberText(edges[peak] ?? 0)} and ${numberText(edges[peak + 1] ?? 0)}`;
  return figure(title, words, bars.join('') + label(PAD, low, 'start') + label(WIDTH - PAD, high, 'end'));
}

/** Points in groups. @param groups name of the group of each point; null for no group */
export function scatterSvg(
  title: string,
  x: Float64Array,
  y: Float64Array,
  groups: readonly (string | null)[],
  words: string,
): string {
  const names = [...new Set(groups)].filter((name) => name !== null).slice(0, COLOURS.length);
  const scale = (values: Float64Array, low: number, high: number) => {
    const [min, max] = [Math.min(...values), Math.max(...values)];
    return (v: number): number => low + ((high - low) * (v - min)) / (max - min || 1);
  };
  const [atX, atY] = [scale(x, PAD, WIDTH - PAD), scale(y, HEIGHT - PAD, PAD)];
  const points = Array.from(x, (value, i) => {
    const group = names.indexOf(groups[i] ?? '');
    return mark(atX(value), atY(y[i] ?? 0), group);
  });
  const legend = names.map(
    (name, i) =>
      `${mark(WIDTH - PAD + 8, PAD + 14 * i, i)}<text x="${WIDTH - PAD + 16}" y="${PAD + 4 + 14 * i}" font-size="10">${escaped(name.slice(0, 14))}</text>`,
  );
  return figure(title, words, points.join('') + legend.join(''), 90);
}

/** A circle or, for every second group, a square. */
function mark(x: number, y: number, group: number): string {
  const fill = COLOURS[group < 0 ? 6 : group] ?? '#000000';
  if (group % 2 === 1)
    return `<rect x="${(x - 3).toFixed(1)}" y="${(y - 3).toFixed(1)}" width="6" height="6" fill="${fill}" fill-opacity="0.7"/>`;
  return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="${fill}" fill-opacity="0.7"/>`;
}

const label = (x: number, text: string, anchor: string): string =>
  `<text x="${x}" y="${HEIGHT - PAD + 16}" text-anchor="${anchor}" font-size="11">${escaped(text)}</text>`;

function figure(title: string, words: string, inner: string, extra = 0): string {
  const axis = `<line x1="${PAD}" y1="${HEIGHT - PAD}" x2="${WIDTH - PAD}" y2="${HEIGHT - PAD}" stroke="#555"/>`;
  const text = escaped(`${title}: ${words}`);
  return `<figure><svg role="img" aria-label="${text}" viewBox="0 0 ${WIDTH + extra} ${HEIGHT}" width="${WIDTH + extra}"><title>${text}</title>${axis}${inner}</svg><figcaption><strong>${escaped(title)}</strong>: ${escaped(words)}</figcaption></figure>`;
}
