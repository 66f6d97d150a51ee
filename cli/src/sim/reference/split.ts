import { foldsOf, selectUnits, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { type Arm, armsOf } from '@regulon/shared/program';
import type { ReferenceSite } from './sites.js';

/** The units of one site that one model trains on, and those that test it; null where there are none. */
export interface SitePart {
  readonly site: string;
  readonly train: UnitsView | null;
  readonly test: UnitsView | null;
}

/** One model to train: which arm of the run it mirrors, and its units. */
export interface ReferenceArm {
  readonly arm: Arm;
  readonly parts: readonly SitePart[];
}

/** The arms of a plan that are scored, with exactly the units that the run trains and tests on. */
export function referenceArms(plan: Plan, sites: readonly ReferenceSite[]): ReferenceArm[] {
  const ids = sites.map((_, i) => i);
  return armsOf(plan, ids)
    .filter((arm) => arm.evaluated)
    .map((arm) => ({ arm, parts: sites.map((site, i) => partOf(arm, site, i, plan)) }));
}

/**
 * What a model of one site alone trains and is tested on.
 *
 * Where a site is left out, the lone model is tested on all other sites; with folds, on the held-out units of every
 * site, the same test set as the federated model's.
 */
export function loneArms(arms: readonly ReferenceArm[], site: string, plan: Plan): ReferenceArm[] {
  const alone = (arm: ReferenceArm): ReferenceArm => ({
    arm: arm.arm,
    parts: arm.parts.map((part) => (part.site === site ? part : { ...part, train: null })),
  });
  if (plan.evaluation.split !== 'leave-site-out') return arms.map(alone);
  const home = arms.find((arm) => arm.parts.some((part) => part.site === site && part.train !== null));
  if (!home) return [];
  const parts = home.parts.map((part) => {
    const all = part.train ?? part.test;
    return part.site === site
      ? { site, train: all, test: null }
      : { site: part.site, train: null, test: all };
  });
  return [{ arm: home.arm, parts }];
}

function partOf(arm: Arm, site: ReferenceSite, index: number, plan: Plan): SitePart {
  const { view, name } = site;
  const { heldOutFold, validationFold } = arm;
  if (arm.heldOutSite === index) return { site: name, train: null, test: view };
  if (heldOutFold === null && validationFold === null)
    return { site: name, train: view, test: arm.heldOutSite === null ? view : null };
  const folds = foldsOf(plan.dataset.unit, site.unitIds, view.labels ?? view.strata, index, site.patients);
  const rows = (isWanted: (fold: number) => boolean): UnitsView | null =>
    part(
      view,
      [...folds.keys()].filter((i) => isWanted(folds[i] ?? -1)),
    );
  const train = rows((fold) => fold !== heldOutFold && fold !== validationFold);
  return { site: name, train, test: heldOutFold === null ? null : rows((fold) => fold === heldOutFold) };
}

const part = (view: UnitsView, rows: readonly number[]): UnitsView | null =>
  rows.length === 0 ? null : selectUnits(view, rows);
