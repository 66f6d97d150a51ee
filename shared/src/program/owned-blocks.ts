import { RegulonError } from '../errors/index.js';
import type { WeightSpec } from '../models/index.js';
import type { Plan } from '../plan/index.js';
import type { Thresholds } from '../secagg/index.js';

/** A plan with its sites. */
interface SitedPlan {
  readonly plan: Pick<Plan, 'model' | 'deadlines'>;
  /** roster ids and names in the order of the plan */
  readonly sites: readonly { readonly id: number; readonly name: string }[];
}

/** A block of the model that only some sites train. */
export interface OwnedBlock {
  readonly name: string;
  /** roster ids */
  readonly owners: readonly number[];
}

/** A block of which too few owners are in a sum. */
export interface ThinBlock {
  readonly name: string;
  /** owners that are there and count */
  readonly left: number;
}

/** Coordinates [from, to) that only some sites, or some units, train, and what their sum is divided by. */
export interface OwnedRange {
  readonly block: string;
  readonly from: number;
  readonly to: number;
  readonly denominator: number;
}

/** The blocks of a plan that only some of its sites train; of most plans none. */
export function ownedBlocks({ plan, sites }: SitedPlan): OwnedBlock[] {
  return plan.model.blocks.flatMap(({ name, owners }) => {
    if (!owners) return [];
    return [{ name, owners: sites.filter((site) => owners.includes(site.name)).map(({ id }) => id) }];
  });
}

/**
 * The sum of a block with owners is a sum over these alone, so that it covers as many sites as any other.
 *
 * @param covered roster ids in the sum that count towards minima
 * @param least uMin of the attempt, or more
 * @returns the first block with fewer owners, or undefined
 */
export function thinBlock(
  blocks: readonly OwnedBlock[],
  covered: readonly number[],
  least: number,
): ThinBlock | undefined {
  return blocks
    .map(({ name, owners }) => ({ name, left: owners.filter((id) => covered.includes(id)).length }))
    .find(({ left }) => left < least);
}

/** @throws E_POLICY when a block has fewer owners than any sum of the run must cover */
export function verifyOwnersEnough(contract: SitedPlan & { readonly thresholds: Thresholds }): void {
  const { plan, sites, thresholds } = contract;
  const least = Math.max(thresholds.uMin, plan.deadlines.minSurvivors ?? 0);
  const everybody = sites.map(({ id }) => id);
  const thin = thinBlock(ownedBlocks(contract), everybody, least);
  if (!thin) return;
  const path = `model.blocks[${plan.model.blocks.findIndex(({ name }) => name === thin.name)}].owners`;
  throw new RegulonError(
    'E_POLICY',
    `plan: ${path}: ${thin.left} sites, but a sum covers at least ${least} of ${sites.length}`,
    { hint: 'name more owners, or keep the block at its sites (aggregate: local)' },
  );
}

/** The coordinates of a model that only some sites train, ascending; neighbours of one block are one range. */
export const ownedRanges = (specs: readonly WeightSpec[]): OwnedRange[] =>
  rangesOf(specs, ({ denominator }) => denominator);

/** The same for any divisor. @param denominatorOf undefined for weights that have none of their own */
export function rangesOf(
  specs: readonly WeightSpec[],
  denominatorOf: (spec: WeightSpec) => number | undefined,
): OwnedRange[] {
  const ranges: OwnedRange[] = [];
  for (const spec of specs) {
    const { offset, size, block } = spec;
    const denominator = denominatorOf(spec);
    if (denominator === undefined) continue;
    const before = ranges.at(-1);
    const from = before?.block === block && before.to === offset ? (ranges.pop()?.from ?? offset) : offset;
    ranges.push({ block, from, to: offset + size, denominator });
  }
  return ranges;
}
