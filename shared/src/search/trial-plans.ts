import { RegulonError } from '../errors/index.js';
import { type Plan, parsePlan } from '../plan/index.js';
import type { Search } from './search-file.js';
import { gridPlaces, type Place, valuesAt } from './space.js';

/** A plan as its file has it, before defaults are filled in. */
export type PlanText = Readonly<Record<string, unknown>>;

/**
 * The plan that tries a place: test units (fold 0 of each site) are held out and never scored, the loss over the next
 * fold decides.
 *
 * @param trial from 1
 * @throws E_PLAN when the plan has no such key, or the values make no plan
 */
export function trialPlan(plan: PlanText, search: Search, place: Place, trial: number): Plan {
  const { every, earlyStopping } = evaluationOf(plan);
  return planAt(plan, search, place, {
    name: `${search.name}-trial-${trial}`,
    title: `trial ${trial} of at most ${search.runs} of the search ${search.name}`,
    evaluation: {
      split: 'nested',
      // after the last round at least
      every: every ?? 10_000,
      ...(earlyStopping === undefined ? {} : { earlyStopping }),
    },
  });
}

/** The plan that is trained with the chosen values and tested, once, on what no trial has seen. */
export function chosenPlan(plan: PlanText, search: Search, place: Place): Plan {
  return planAt(plan, search, place, {
    name: `${search.name}-chosen`,
    title: `chosen by the search ${search.name} of at most ${search.runs} trials`,
  });
}

/**
 * The plan itself, when it can be searched over: held-out units are tested once, and each end of each range is a plan.
 *
 * @throws E_PLAN, E_PRIVACY
 */
export function verifySearchable(plan: PlanText, search: Search): Plan {
  const base = parsePlan(plan);
  if (base.privacy)
    throw new RegulonError(
      'E_PRIVACY',
      'search: the plan claims differential privacy, and the loss by which trials are compared has no noise yet',
      { hint: 'search on public or simulated data, then train the chosen plan with privacy' },
    );
  if (base.evaluation.split !== 'holdout')
    throw new RegulonError(
      'E_PLAN',
      `search: the plan splits ${base.evaluation.split}; trials hold out what a holdout tests`,
      { hint: 'evaluation: { split: holdout }' },
    );
  const { method, space, runs } = search;
  if (method.name === 'grid' && gridPlaces(space, method.steps).length > runs)
    throw new RegulonError('E_PLAN', `search: the grid has more places than the ${runs} runs`);
  const middle = space.map(() => 0.5);
  for (const d of space.keys()) for (const u of [0, 1]) trialPlan(plan, search, middle.with(d, u), 1);
  chosenPlan(plan, search, middle);
  return base;
}

function planAt(plan: PlanText, search: Search, place: Place, more: PlanText): Plan {
  const changed: unknown = structuredClone({ ...plan, ...more });
  const values = valuesAt(search.space, place);
  search.space.forEach(({ key }, d) => assign(changed, key, values[d]));
  return parsePlan(changed);
}

/** @param key names and positions, joined by dots; the last one may be new, as a key with a default is */
function assign(plan: unknown, key: string, value: unknown): void {
  const names = key.split('.');
  const last = names.pop() ?? '';
  const parent = names.reduce<unknown>((at, name) => memberOf(at, name), plan);
  const isPlace = Array.isArray(parent)
    ? /^\d+$/.test(last) && Number(last) < parent.length
    : isSection(parent);
  if (!isPlace || last === '__proto__')
    throw new RegulonError('E_PLAN', `search: space: the plan has no place ${key}`);
  Object.assign(parent as object, { [last]: value });
}

const memberOf = (value: unknown, name: string): unknown =>
  (Array.isArray(value) || isSection(value)) && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const evaluationOf = ({ evaluation }: PlanText): Record<string, unknown> =>
  isSection(evaluation) ? evaluation : {};
