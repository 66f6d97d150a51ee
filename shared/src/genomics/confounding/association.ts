import { chiSquaredTail } from '../numeric/gamma.js';
import type { ConfoundingFit } from './confounding-fit.js';

/** How strongly labels and batches (or sites) hang together. */
export interface Association {
  readonly chiSquared: number;
  readonly pValue: number;
  /** Cramér's V, and corrected for bias */
  readonly cramersV: number;
  readonly correctedV: number;
  /** share of units that "the majority of the other units of my batch" labels rightly */
  readonly batchRule: number;
  /** share of the largest class */
  readonly majority: number;
  /** `alarm`: a model can learn the batch instead of the class; `notice`: the classes are skewed */
  readonly level: 'alarm' | 'notice' | 'quiet';
}

const ALARM_V = 0.5;
const ALARM_P = 1e-3;
const ALARM_GAP = 0.4;
const NOTICE_V = 0.2;

/**
 * Association of labels with batches, from sums that hold no table: χ² = n·(Σ O²/(R·C) − 1).
 *
 * @see Bergsma 2013 for the correction
 */
export function associationOf({
  units,
  classUnits,
  groups,
  squares,
  hits,
  absent,
}: ConfoundingFit): Association {
  const present = [...classUnits].filter((count) => count > 0);
  const [k, r] = [present.length, groups];
  const phi2 = Math.max(0, squares - 1);
  const chiSquared = units * phi2;
  const corrected = Math.max(0, phi2 - ((k - 1) * (r - 1)) / (units - 1));
  const shrunk = (levels: number): number => levels - (levels - 1) ** 2 / (units - 1) - 1;
  const share = (of: number, most: number): number => (most > 0 ? Math.sqrt(of / most) : 0);
  const correctedV = share(corrected, Math.min(shrunk(k), shrunk(r)));
  const pValue = chiSquaredTail(chiSquared, (k - 1) * (r - 1));
  const [batchRule, majority] = [hits / units, Math.max(0, ...present) / units];
  const closesGap = pValue < ALARM_P && batchRule - majority >= ALARM_GAP * (1 - majority);
  const isAlarm = correctedV >= ALARM_V || closesGap;
  const isNotice = correctedV >= NOTICE_V || absent > 0;
  return {
    ...{ chiSquared, pValue, correctedV, batchRule, majority },
    cramersV: share(phi2, Math.min(k, r) - 1),
    level: isAlarm ? 'alarm' : isNotice ? 'notice' : 'quiet',
  };
}
