import { placeOf } from '../normalize/cell-quantiles.js';
import type { QualityFit } from './quality-fit.js';
import { LIBRARY } from './quality-round.js';

/** A quarter of the units below this share of detected genes, or above this share of missing values, is told. */
const FEW_DETECTED = 0.1;
const MANY_MISSING = 0.2;

/** Where the middle half of the units lies; shares 0 to 1, libraries as log10. */
export function qualityFinding({ units, library, detected, missing }: QualityFit) {
  const [detectedLow, detectedHigh] = middleOf(detected, 0, 1);
  const [, missingHigh] = middleOf(missing, 0, 1);
  const libraries = middleOf(library, LIBRARY.from, LIBRARY.to);
  const isPoor = detectedLow < FEW_DETECTED || missingHigh > MANY_MISSING;
  const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
  const parts = [
    ...(library.length > 0 ? [`libraries of 10^${libraries.map((x) => x.toFixed(1)).join(' to 10^')}`] : []),
    `detected genes ${percent(detectedLow)} to ${percent(detectedHigh)}`,
    `missing values up to ${percent(missingHigh)}`,
  ];
  return {
    step: 'quality',
    level: isPoor ? ('notice' as const) : ('quiet' as const),
    text: `quality: middle half of ${units} units: ${parts.join('; ')}`,
    values: {
      ...{ units, detectedLow, detectedHigh, missingHigh },
      ...(library.length > 0 && { libraryLow: libraries[0], libraryHigh: libraries[1] }),
    },
  };
}

/** Edges of the cells in which the first and the third quartile lie. */
function middleOf(cells: Uint32Array, from: number, to: number): readonly [number, number] {
  const total = cells.reduce((sum, n) => sum + n, 0);
  const width = (to - from) / cells.length;
  const low = Math.ceil(placeOf(cells, total / 4)) - 1;
  const high = Math.ceil(placeOf(cells, (3 * total) / 4));
  return [from + width * Math.max(0, low), from + width * Math.min(cells.length, high)];
}
