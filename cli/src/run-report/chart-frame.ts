import { escaped, htmlTable, numberText } from './html.js';

/** Size of every picture and of its margins, in its own units. */
export const FRAME = { width: 520, height: 320, left: 58, right: 16, top: 14, bottom: 44 } as const;
/** Colours that remain apart without red or green (Okabe and Ito 2008); strokes and shapes tell them apart, too. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
/** Strokes that go with the colours. */
export const DASHES = ['none', '7 4', '2 3', '10 3 2 3', '4 2', '12 4', '1 4'] as const;

/** From numbers to places in the picture. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** What a picture shows, for those who see it and those who do not. */
export interface Picture {
  readonly title: string;
  /** the main thing in words: the text alternative */
  readonly words: string;
  readonly inner: string;
  readonly numbers: { readonly titles: readonly string[]; readonly rows: readonly (readonly string[])[] };
}

/** An axis over values from `low` to `high`, in places `from` to `to`. */
export function axisOf(low: number, high: number, from: number, to: number): Axis {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const end = low + span;
  const step = niceStep(span / 5);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = Array.from(
    { length: Math.max(0, Math.floor(end / step + 1e-9) - first + 1) },
    (_, i) => (first + i) * step,
  );
  return { low, high: end, ticks, at: (value) => from + ((to - from) * (value - low)) / span };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
}

/** Horizontal places, left to right. */
export const acrossOf = (low: number, high: number): Axis =>
  axisOf(low, high, FRAME.left, FRAME.width - FRAME.right);
/** Vertical places, bottom to top. */
export const upOf = (low: number, high: number): Axis =>
  axisOf(low, high, FRAME.height - FRAME.bottom, FRAME.top);

/** A place in the picture, as attributes hold it. */
export const place = (x: number): string => x.toFixed(1);

/** Text in a picture. */
export const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${place(x)}" y="${place(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;

/** Axes, ticks and names of a picture with two scales. */
export function axesOf(x: Axis, y: Axis, names: readonly [across: string, up: string]): string {
  const base = FRAME.height - FRAME.bottom;
  const lines = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${place(y.at(tick))}" y2="${place(y.at(tick))}"/>` +
      label(FRAME.left - 6, y.at(tick) + 4, numberText(tick), 'end'),
  );
  const below = x.ticks.map((tick) => label(x.at(tick), base + 16, numberText(tick), 'middle'));
  const middle = (FRAME.top + base) / 2;
  return [
    ...lines,
    `<line class="axis" x1="${FRAME.left}" x2="${FRAME.width - FRAME.right}" y1="${base}" y2="${base}"/>`,
    ...below,
    label((FRAME.left + FRAME.width - FRAME.right) / 2, FRAME.height - 8, names[0], 'middle'),
    `<text transform="rotate(-90 14 ${place(middle)})" x="14" y="${place(middle)}" text-anchor="middle">${escaped(names[1])}</text>`,
  ].join('');
}

/** A figure: picture, text alternative, and its numbers as a table. @param id unique on its page */
export function figureOf(id: string, { title, words, inner, numbers }: Picture): string {
  const svg = `<svg role="img" aria-labelledby="${id}-title ${id}-words" viewBox="0 0 ${FRAME.width} ${FRAME.height}"><title id="${id}-title">${escaped(title)}</title><desc id="${id}-words">${escaped(words)}</desc>${inner}</svg>`;
  const table = htmlTable(numbers.titles, numbers.rows);
  return `<figure>${svg}<figcaption><strong>${escaped(title)}.</strong> ${escaped(words)}</figcaption><details><summary>numbers of this picture</summary>${table}</details></figure>`;
}
