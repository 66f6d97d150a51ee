import { RegulonError } from '../errors/index.js';
import { type Plan, parsePlan } from '../plan/index.js';
import { privacyEventsOf, reportedEpsilon } from '../privacy/index.js';
import { trainingEvent } from '../program/index.js';
import type { Search } from './search-file.js';
import { gridPlaces } from './space.js';
import { chosenPlan, type PlanText, trialPlan } from './trial-plans.js';

/**
 * The plan itself, when it can be searched over: held-out units are tested once, and each end of each range is a plan.
 *
 * @throws E_PLAN, E_PRIVACY
 */
export function verifySearchable(plan: PlanText, search: Search): Plan {
  const base = parsePlan(plan);
  if (base.privacy) verifyPrivateSearch(search);
  else verifyHoldout(base, search);
  const { method, space, runs } = search;
  if (method.name === 'grid' && gridPlaces(space, method.steps).length > runs)
    throw new RegulonError('E_PLAN', `search: the grid has more places than the ${runs} runs`);
  const most = mostSpent(base, runs, endsOf(plan, search));
  if (most === null)
    chosenPlan(
      plan,
      search,
      space.map(() => 0.5),
    );
  else if (most > (search.epsilon ?? 0))
    throw new RegulonError(
      'E_PRIVACY',
      `search: ${runs} trials may cost a patient ε = ${most.toPrecision(4)} together, above epsilon: ${search.epsilon}`,
      { hint: 'fewer runs or rounds, more noise, or a larger epsilon' },
    );
  return base;
}

/**
 * Most that a patient loses by all trials of a search together, at the δ of the plan and for as many hospitals as it says.
 *
 * @returns null when the plan claims no privacy
 */
export const searchCost = (plan: PlanText, search: Search): number | null =>
  mostSpent(parsePlan(plan), search.runs, endsOf(plan, search));

/** The trials at each end of each range and at each value, all else in the middle. */
function endsOf(plan: PlanText, search: Search): Plan[] {
  const middle = search.space.map(() => 0.5);
  return search.space.flatMap((dimension, d) =>
    gridPlaces([dimension], 2).map(([u = 0]) => trialPlan(plan, search, middle.with(d, u), search.runs)),
  );
}

/** Every trial is charged as the one of most rounds: nothing else that is varied changes its cost. */
function mostSpent({ privacy }: Plan, runs: number, ends: readonly Plan[]): number | null {
  if (!privacy) return null;
  const rounds = Math.max(...ends.map(({ training }) => training.rounds));
  const one = privacyEventsOf(trainingEvent(privacy, { rounds, counted: true })) ?? [];
  const all = Array.from({ length: runs }, () => one).flat();
  return reportedEpsilon(all, privacy.delta, { copies: privacy.hospitalsPerPatient }).epsilon;
}

function verifyHoldout({ evaluation }: Plan, { epsilon, validation }: Search): void {
  if (evaluation.split !== 'holdout')
    throw new RegulonError(
      'E_PLAN',
      `search: the plan splits ${evaluation.split}; trials hold out what a holdout tests`,
      { hint: 'evaluation: { split: holdout }' },
    );
  const key = epsilon !== undefined ? 'epsilon' : validation ? 'validation' : null;
  if (key)
    throw new RegulonError(
      'E_PLAN',
      `search: ${key}: the plan claims no privacy, and its trials are scored by sums`,
    );
}

/** The loss of validation rounds has no noise yet, so what compares models that claim privacy is none of the sites'. */
function verifyPrivateSearch({ epsilon, validation }: Search): void {
  if (epsilon !== undefined && validation) return;
  const key = epsilon === undefined ? 'epsilon' : 'validation';
  throw new RegulonError(
    'E_PRIVACY',
    `search: ${key} is missing: the plan claims privacy, its trials are charged and score nothing at the sites`,
    {
      hint: 'epsilon: NUMBER for all trials together; validation: { data, labels } of your own labelled samples',
    },
  );
}
