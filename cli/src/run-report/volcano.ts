import type { TestTable } from '@regulon/shared/genomics';
import { acrossOf, axesOf, COLOURS, type Picture, place, upOf } from './chart-frame.js';
import { numberText } from './html.js';

/** False discovery rate from which a gene counts as different. */
const LEVEL = 0.05;
/** Points of one picture; genes that do not differ are thinned, those that do are all drawn. */
const MOST_QUIET = 1500;
/** P of 0 is drawn here. */
const SMALLEST_P = 1e-300;
const SHOWN = 20;

/** Volcano plot: log2 fold change against −log10 P of every gene of a test. */
export function volcanoPicture({ genes, logFC, pValue, adjusted }: TestTable): Picture {
  const height = (j: number): number => -Math.log10(Math.max(SMALLEST_P, pValue[j] ?? 1));
  const all = [...genes.keys()];
  const differs = all.filter((j) => (adjusted[j] ?? 1) <= LEVEL);
  const quiet = all.filter((j) => (adjusted[j] ?? 1) > LEVEL);
  const step = Math.max(1, Math.ceil(quiet.length / MOST_QUIET));
  const reach = all.reduce((most, j) => Math.max(most, Math.abs(logFC[j] ?? 0)), 0.1);
  const x = acrossOf(-reach, reach);
  const y = upOf(0, 1.05 * all.reduce((most, j) => Math.max(most, height(j)), 0.1));
  const at = (j: number): readonly [string, string] => [place(x.at(logFC[j] ?? 0)), place(y.at(height(j)))];
  const dots = quiet
    .filter((_, i) => i % step === 0)
    .map((j) => `<circle cx="${at(j)[0]}" cy="${at(j)[1]}" r="1.5" fill="#999"/>`);
  // triangles point to where a gene is higher: shape tells it as well as colour
  const marks = differs.map((j) => {
    const isUp = (logFC[j] ?? 0) > 0;
    const [cx, cy] = at(j);
    const path = isUp ? 'm0 -3 3 5h-6z' : 'm0 3 3 -5h-6z';
    return `<path transform="translate(${cx} ${cy})" d="M0 0${path}" fill="${COLOURS[isUp ? 1 : 0]}"/>`;
  });
  const up = differs.filter((j) => (logFC[j] ?? 0) > 0).length;
  const names = ['log2 fold change', '−log10 P'] as const;
  const smallest = all.sort((a, b) => (pValue[a] ?? 1) - (pValue[b] ?? 1) || a - b).slice(0, SHOWN);
  return {
    title: 'Genes that differ (limma-voom)',
    words: `Of ${genes.length} genes ${up} are higher and ${differs.length - up} lower at a false discovery rate of ${LEVEL}; upward triangles are higher, downward ones lower, dots neither.`,
    inner: axesOf(x, y, names) + dots.join('') + marks.join(''),
    numbers: {
      titles: ['position in the gene panel', 'log2 fold change', 'P', 'false discovery rate'],
      rows: smallest.map((j) => [
        String(genes[j] ?? ''),
        ...[logFC[j], pValue[j], adjusted[j]].map((value) => numberText(value)),
      ]),
    },
  };
}
