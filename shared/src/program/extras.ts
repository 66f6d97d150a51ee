import { headTargets, type Plan } from '../plan/index.js';
import { RegulonError } from '../errors/index.js';

/** Units of the weight extra: w̃ is a multiple of 2⁻²⁰. */
const WEIGHT_SCALE = 1 << 20;

/** A masked number beside the vector, sent as clamp(round(v · scale)). */
export interface ExtraField {
  readonly name: string;
  readonly scale: number;
  readonly min: number;
  readonly max: number;
}

const LARGEST_MEAN_LOSS = 16;
const flag = (name: string): ExtraField => ({ name, scale: 1, min: 0, max: 1 });

/** Extras of a statistics or evaluation round: only the fault flag. */
export const statisticsExtras: readonly ExtraField[] = [flag('fault')];

/** What is summed of the training of a head: mean loss times units with a target, and those units; of classes the right ones. */
export const headExtra = (what: 'loss' | 'units' | 'correct', head: string): string => `${what} ${head}`;

/** What a site trained of one head: sums over units, and how many numbers one unit has in them. */
export interface HeadTraining {
  readonly block: string;
  readonly lossSum: number;
  /** numbers that `lossSum` sums over; of a Cox head the events */
  readonly targetCount: number;
  /** of these numbers, those of one unit */
  readonly terms: number;
  readonly correct: number;
}

/** Extras of the heads by their names. */
export function headExtrasOf(heads: readonly HeadTraining[]): Record<string, number> {
  return Object.fromEntries(
    heads.flatMap(({ block, terms, lossSum, targetCount, correct }) => [
      [headExtra('loss', block), lossSum / terms],
      [headExtra('units', block), targetCount / terms],
      [headExtra('correct', block), correct],
    ]),
  );
}

/**
 * Extras of a training round: fault, clipped sites where the plan allows them, training loss, correct units, units; then of
 * each head its loss, its units, and its correct units.
 * No noise covers any of them but the flags, so a plan that claims privacy has only these.
 */
export function trainingExtras(plan: Plan): ExtraField[] {
  const flags = [flag('fault'), ...(plan.secureAggregation.clip === 'allow' ? [flag('clipped')] : [])];
  return plan.privacy ? flags : [...flags, ...lossExtras(plan)];
}

function lossExtras(plan: Plan): ExtraField[] {
  const { weightCap, noise } = plan.secureAggregation;
  const N = plan.sites.length;
  // room for the noise of a mechanism: κ² ≤ 2N/3, as h ≥ 3 and a group has fewer than twice its least sites
  const room = N + 12 * Math.sqrt((2 * N) / 3) * (noise?.z ?? 0);
  const lossMax = weightCap * LARGEST_MEAN_LOSS;
  const lossScale = 2 ** Math.max(0, Math.floor(Math.log2((2 ** 31 - 1) / (room * lossMax))));
  if (room * lossMax >= 2 ** 31) {
    throw new RegulonError(
      'E_RING_BOUND',
      'plan: secureAggregation.weightCap: the loss extra could wrap the ring',
    );
  }
  return [
    { name: 'loss', scale: lossScale, min: 0, max: lossMax },
    { name: 'correct', scale: 1, min: 0, max: weightCap },
    { name: 'count', scale: 1, min: 0, max: weightCap },
    ...headTargets(plan).flatMap(({ target: { head, kind } }) => [
      { name: headExtra('loss', head), scale: lossScale, min: 0, max: lossMax },
      { name: headExtra('units', head), scale: lossScale, min: 0, max: weightCap },
      ...(kind === 'classes' ? [{ name: headExtra('correct', head), scale: 1, min: 0, max: weightCap }] : []),
    ]),
  ];
}

/**
 * The weight w̃ of a site: n / weightCap, rounded down to a multiple of 2⁻²⁰.
 *
 * @throws E_POLICY when the site holds more units than the plan allows for
 */
export function weightOf(units: number, weightCap: number): number {
  if (units > weightCap) {
    throw new RegulonError(
      'E_POLICY',
      'this site holds more units than secureAggregation.weightCap of the plan',
      {
        hint: 'ask the researcher to raise secureAggregation.weightCap (a power of two keeps weights exact)',
      },
    );
  }
  return Math.floor((WEIGHT_SCALE * units) / weightCap) / WEIGHT_SCALE;
}

/** Ring integers of the extras of one site: weight first, then the fields in order; values are clamped to their range. */
export function encodeExtras(
  fields: readonly ExtraField[],
  weight: number,
  values: Readonly<Record<string, number>>,
): number[] {
  const encoded = fields.map((f) =>
    Math.round(Math.min(f.max, Math.max(f.min, values[f.name] ?? 0)) * f.scale),
  );
  return [Math.floor(weight * WEIGHT_SCALE), ...encoded];
}

/** Sums of the extras over the survivors, in their own units; `weight` is Σ w̃. */
export type SummedExtras = Record<string, number> & { weight: number };

/** The sums as the ring has them, in their own units. */
export function decodeExtras(fields: readonly ExtraField[], integers: readonly number[]): SummedExtras {
  const decoded: SummedExtras = { weight: (integers[0] ?? 0) / WEIGHT_SCALE };
  fields.forEach((field, i) => (decoded[field.name] = (integers[i + 1] ?? 0) / field.scale));
  return decoded;
}
