import type { Patient } from './expression-model.js';
import type { Random } from './random.js';

/** Module whose activity the grading and the hazard follow. */
const PROLIFERATION = 3;
const LAST_VISIT = { from: 12, to: 72 } as const;

/** What a clinic writes down beside the subtype; null = not known. */
export interface FollowUp {
  /** grading index around 50 */
  readonly index: number | null;
  /** months until relapse or last visit */
  readonly months: number | null;
  /** 1 = relapse, 0 = none until the last visit */
  readonly relapse: number | null;
  readonly knowsSubtype: boolean;
}

/**
 * Draw the follow-up of a patient: a quarter of the indexes, a sixth of the subtypes and a tenth of the times are missing.
 *
 * @param hasIndex whether the clinic measures the index at all
 */
export function drawFollowUp({ activities }: Patient, random: Random, hasIndex: boolean): FollowUp {
  const activity = activities[PROLIFERATION] ?? 0;
  const index = Math.round(10 * random.normal(50 + 8 * activity, 3)) / 10;
  const hazard = Math.exp(-3.9 + 0.9 * activity);
  const relapseAt = -Math.log(1 - random.uniform()) / hazard;
  const lastVisit = random.integer(LAST_VISIT.from, LAST_VISIT.to);
  const months = Math.max(0.1, Math.round(10 * Math.min(relapseAt, lastVisit)) / 10);
  const [seesIndex, knowsSubtype, isFollowed] = [0.75, 5 / 6, 0.9].map((share) => random.uniform() < share);
  return {
    index: hasIndex && seesIndex ? index : null,
    months: isFollowed ? months : null,
    relapse: isFollowed ? Number(relapseAt <= lastVisit) : null,
    knowsSubtype: knowsSubtype ?? true,
  };
}
