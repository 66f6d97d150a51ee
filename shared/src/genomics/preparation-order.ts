import type { DatasetScale, PrepareStep } from '../plan/index.js';

/** Steps that have one place; `batch-share` only reads and may stand anywhere after the logarithm. */
type Placed = Exclude<PrepareStep['step'], 'batch-share'>;

/** Places of the steps in a preparation: parse, filter, test, list, normalise, logarithm, quantiles, batch, select, scale, project. */
const PLACES = {
  quality: -2,
  confounding: -1,
  'filter-by-expression': 0,
  'limma-voom': 0.5,
  'gene-list': 0.7,
  'size-factors': 1,
  'upper-quartile': 1,
  'log2-cpm': 2,
  'log2-tpm': 2,
  'log2-fpkm': 2,
  log2: 2,
  vst: 2,
  clr: 2,
  'quantile-normalize': 3,
  'batch-center': 4,
  'batch-z-score': 4,
  'remove-batch-effect': 4,
  combat: 4,
  'impute-mean': 4.5,
  'impute-neighbours': 4.5,
  'impute-low-rank': 4.5,
  'top-variance': 5,
  'min-max': 6,
  'robust-scale': 6,
  'z-score': 6,
  pca: 7,
  'co-expression': 7,
} as const satisfies Record<Placed, number>;

const COUNTS: ReadonlySet<Placed> = new Set([
  'filter-by-expression',
  'limma-voom',
  'size-factors',
  'upper-quartile',
  'log2-cpm',
  'log2-tpm',
  'log2-fpkm',
  'log2',
  'clr',
  'vst',
]);
/** Steps that let missing values through; the others before an imputation need a value of every gene. */
const TAKES_GAPS: ReadonlySet<Placed> = new Set([
  ...(['quality', 'confounding', 'gene-list', 'batch-center', 'batch-z-score'] as const),
]);
/** Logarithms that scale units themselves. */
const SCALES: ReadonlySet<Placed> = new Set(['log2-cpm', 'log2-tpm', 'log2-fpkm']);
const IMPUTES = PLACES['impute-mean'];
const SELECTS = PLACES['top-variance'];

/**
 * Why a step cannot stand where it stands, or null.
 *
 * @param before steps before it, in order
 * @param scale of the dataset
 */
export function misplaced(
  step: PrepareStep['step'],
  before: readonly PrepareStep['step'][],
  scale: DatasetScale,
): string | null {
  const placed = before.filter((name): name is Placed => name !== 'batch-share');
  const last = placed.at(-1);
  const logged = scale !== 'counts' || placed.some((name) => PLACES[name] === PLACES.log2);
  if (step === 'batch-share') {
    if (last === 'pca') return 'of components: put it before pca';
    return logged ? null : 'of raw counts: put log2-cpm before it';
  }
  const place = PLACES[step];
  if (COUNTS.has(step) && scale !== 'counts') return 'needs counts';
  if (before.includes(step) && place !== SELECTS) return 'stands twice';
  if (last && PLACES[last] === place && place !== SELECTS) return `and ${last} exclude each other`;
  if (last && PLACES[last] > place) {
    const why =
      place === SELECTS ? 'selects before scaling, so it' : COUNTS.has(step) ? 'needs counts, so it' : '';
    return `${why} stands before ${last}`.trim();
  }
  if (place > PLACES.log2 && !logged) return 'of raw counts: put log2-cpm before it';
  const whole =
    place === IMPUTES ? before.find((name) => name === 'batch-share' || !TAKES_GAPS.has(name)) : undefined;
  if (whole) return `comes too late: ${whole} before it needs a value of every gene`;
  if (SCALES.has(step) && (last === 'size-factors' || last === 'upper-quartile'))
    return `after ${last} scales twice: take log2`;
  if (step === 'co-expression' && !before.includes('z-score')) return 'needs z-score before it';
  if (step === 'vst' && !before.includes('size-factors')) return 'needs size-factors before it';
  return null;
}
