import { RegulonError } from '../errors/index.js';
import type { Plan } from '../plan/index.js';
import { gaussianEpsilon, PREVIEW_GRID, privacyEventsOf, reportedEpsilon } from '../privacy/index.js';
import { COUNT_NOISE, trainingEvent } from './patient-privacy.js';

/** Points of the picture of ε against rounds. */
const MOST_POINTS = 10;
/** Most noise that is looked at: more no longer changes what the count costs. */
const MOST_NOISE = 2 ** 16;
/** Relative accuracy of a calibrated noise multiplier; it is rounded up. */
const TOLERANCE = 1e-3;

/** ε after some rounds of a run. */
export interface RoundCost {
  readonly rounds: number;
  readonly epsilon: number;
}

/** ε of so many rounds of a plan, one count with them, for a patient of k hospitals; a little above the reported value. */
function epsilonAfter(privacy: NonNullable<Plan['privacy']>, rounds: number, copies: number): number {
  const events = privacyEventsOf(trainingEvent(privacy, { rounds, counted: true })) ?? [];
  return reportedEpsilon(events, privacy.delta, { copies, grid: PREVIEW_GRID }).epsilon;
}

/**
 * How the cost of a run grows with its rounds, for a patient of as many hospitals as the plan says.
 *
 * @returns at most ten points, the last round among them; none of a plan without privacy
 * @throws E_PRIVACY
 */
export function costByRounds({ privacy, training }: Plan): RoundCost[] {
  if (!privacy) return [];
  const points = Math.min(MOST_POINTS, training.rounds);
  return Array.from({ length: points }, (_, i) => {
    const rounds = Math.ceil((training.rounds * (i + 1)) / points);
    return { rounds, epsilon: epsilonAfter(privacy, rounds, privacy.hospitalsPerPatient) };
  });
}

/**
 * Least noise multiplier with which the whole run of a plan, its count of patients with it, stays within ε.
 *
 * @param epsilon for a patient of as many hospitals as the plan says, at its δ
 * @returns z, rounded up to four digits
 * @throws E_PRIVACY when the plan claims no privacy, or when its count alone costs more
 */
export function noiseOfPlan({ privacy, training }: Plan, epsilon: number): number {
  if (!privacy)
    throw new RegulonError('E_PRIVACY', 'the plan has no section privacy, so no noise to calibrate', {
      hint: 'add the section privacy (docs/privacy.md), or leave --epsilon out',
    });
  const copies = privacy.hospitalsPerPatient;
  const floor = gaussianEpsilon(Math.sqrt(copies) / COUNT_NOISE, privacy.delta);
  const tooLittle = `ε = ${epsilon} is not above ${floor.toPrecision(3)}, which the count of patients alone costs`;
  const refused = new RegulonError('E_PRIVACY', tooLittle, { hint: 'ask for a larger ε' });
  if (!(epsilon > floor)) throw refused;
  const costs = (z: number): number =>
    epsilonAfter({ ...privacy, noiseMultiplier: z }, training.rounds, copies);
  let [low, high] = [0, 1];
  while (costs(high) > epsilon) {
    // a hair above the floor, below what the accountant resolves
    if (high > MOST_NOISE) throw refused;
    [low, high] = [high, 2 * high];
  }
  while (high - low > TOLERANCE * high) {
    // much less noise than enough needs a large grid: never far below what is known to be too little
    const middle = low > 0 ? Math.sqrt(low * high) : high / 2;
    if (costs(middle) > epsilon) low = middle;
    else high = middle;
    if (high < 1e-2) break;
  }
  const rounded = Number(high.toPrecision(4));
  return rounded >= high ? rounded : Number((high * (1 + TOLERANCE)).toPrecision(4));
}
