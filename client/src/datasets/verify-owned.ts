import { RegulonError } from '@regulon/shared/errors';
import type { UnitsView } from '@regulon/shared/genomics';
import { readBy } from '@regulon/shared/models';
import { headTargets, type Plan, type Target, targetWidth } from '@regulon/shared/plan';
import { ownedBlocks, type RunContract } from '@regulon/shared/program';

/**
 * Whether the data of this site go with what the plan says of who owns each block.
 *
 * An owner needs units for its block: without any it would add zeros, and the sum of the block would be one over fewer sites
 * than everybody counts. Outside public runs a site that is no owner must have none: what all sites train could hold the
 * same gradient once more, and the difference of the two sums would be that of the few sites that are no owners.
 *
 * @param view training units of an arm; not asked for where no block has owners
 * @param siteId roster id of this site
 * @param least patients that a block needs at each owner
 * @throws E_UNITS naming the block
 */
export function verifyOwned(
  view: () => UnitsView,
  contract: Pick<RunContract, 'plan' | 'sites' | 'isPublic'>,
  siteId: number,
  least: number,
): void {
  const blocks = ownedBlocks(contract);
  if (blocks.length === 0) return;
  const units = view();
  for (const { name, owners } of blocks) {
    const patients = patientsFor(units, contract.plan, name);
    const refuse = (why: string, hint: string): never => {
      throw new RegulonError('E_UNITS', `model block ${name}: this site is ${why}`, { hint });
    };
    if (owners.includes(siteId) && patients < least)
      refuse(
        `one of its owners and has fewer than ${least} patients that train it`,
        'ask the researcher to leave this site out of the owners of the block',
      );
    if (!owners.includes(siteId) && patients > 0 && !contract.isPublic)
      refuse(
        'none of its owners and has patients that would train it',
        'ask the researcher to make this site an owner, or leave these values out (data import --mask-absent)',
      );
  }
}

/** Patients, else units, that have something of what the block reads, and a target behind it. */
function patientsFor(view: UnitsView, plan: Plan, block: string): number {
  const { model } = plan;
  const read = readBy(model, block);
  const omics = view.omics?.filter((_, i) => read.has(model.inputs?.[i]?.name ?? ''));
  const hasInput = (unit: number): boolean =>
    omics?.some(([first = 0]) => !Number.isNaN(view.values[unit * view.genes + first])) ?? true;
  const heads = headTargets(plan);
  const width = heads.reduce((sum, { target }) => sum + targetWidth(target), 0);
  const behind = heads.map(({ target }, h) => ({
    target,
    at: heads.slice(0, h).reduce((sum, before) => sum + targetWidth(before.target), 0),
    isRead: readBy(model, target.head).has(block),
  }));
  const hasTarget = (unit: number): boolean =>
    heads.length === 0 ||
    behind.some(({ target, at, isRead }) => {
      const from = unit * width + at;
      return isRead && isPresent(target, view.targets?.subarray(from, from + targetWidth(target)));
    });
  const patients = new Set<number>();
  for (let unit = 0; unit < view.n; unit++)
    if (hasInput(unit) && hasTarget(unit)) patients.add(view.patients?.[unit] ?? unit);
  return patients.size;
}

/** @param row numbers of the target of one unit; NaN, or a class of −1, = missing */
function isPresent({ kind }: Target, row: Float64Array = new Float64Array(0)): boolean {
  return kind === 'classes' ? (row[0] ?? -1) >= 0 : row.some((value) => !Number.isNaN(value));
}
