import { RegulonError } from '@regulon/shared/errors';
import type { UnitsView } from '@regulon/shared/genomics';
import { readBy } from '@regulon/shared/models';
import { headTargets, type Plan, type Target, targetWidth } from '@regulon/shared/plan';
import { ownedBlocks, type RunContract } from '@regulon/shared/program';

/**
 * Whether this site has units for each block that the plan says it owns: without any it would add zeros, and the sum of the
 * block would be one over fewer sites than everybody counts.
 *
 * @param view training units of an arm; not asked for where this site owns no block
 * @param siteId roster id of this site
 * @param least patients that a block needs at each owner
 * @throws E_UNITS naming the block
 */
export function verifyOwned(
  view: () => UnitsView,
  contract: Pick<RunContract, 'plan' | 'sites'>,
  siteId: number,
  least: number,
): void {
  const own = ownedBlocks(contract).filter(({ owners }) => owners.includes(siteId));
  if (own.length === 0) return;
  const units = view();
  const thin = own.find(({ name }) => patientsFor(units, contract.plan, name) < least);
  if (thin)
    throw new RegulonError(
      'E_UNITS',
      `model block ${thin.name}: this site is one of its owners and has fewer than ${least} patients that train it`,
      { hint: 'ask the researcher to leave this site out of the owners of the block' },
    );
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
function isPresent(target: Target, row: Float64Array = new Float64Array(0)): boolean {
  const hasClasses = target.kind === 'classes' || (target.kind === 'track' && target.classes !== undefined);
  return row.some((value) => (hasClasses ? value >= 0 : !Number.isNaN(value)));
}
