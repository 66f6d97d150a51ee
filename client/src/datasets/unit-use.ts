import type { Arm, RunContract } from '@regulon/shared/program';
import type { UnitUse } from './site-data.js';

/** What a fold of units is for in an arm. */
export function useOfFold(fold: number, { heldOutFold, validationFold }: Arm): UnitUse {
  if (fold === heldOutFold) return 'test';
  return fold === validationFold ? 'validation' : 'train';
}

/** What units of an arm are in sums for. */
export function summedUses({ evaluated, validationFold }: Arm): UnitUse[] {
  return [
    'train',
    ...(validationFold === null ? [] : (['validation'] as const)),
    ...(evaluated ? (['test'] as const) : []),
  ];
}

/** Whether all units of this site serve an arm without folds. */
export function servesWholly(contract: RunContract, arm: Arm, siteId: number, use: UnitUse): boolean {
  if (contract.plan.evaluation.split === 'chronological') return true;
  return use === 'test' ? arm.heldOutSite === siteId : arm.heldOutSite !== siteId;
}
