import { RegulonError } from '../errors/index.js';
import { type Plan, parsePlan } from '../plan/index.js';
import type { Search } from './search-file.js';
import { type Place, valuesAt } from './space.js';

/** A plan as its file has it, before defaults are filled in. */
export type PlanText = Readonly<Record<string, unknown>>;

/**
 * The plan that tries a place: test units (fold 0 of each site) are held out and never scored, the loss over the next
 * fold decides. A plan that claims privacy stays as it is: it scores nothing.
 *
 * @param trial from 1
 * @throws E_PLAN when the plan has no such key, or the values make no plan
 */
export function trialPlan(plan: PlanText, search: Search, place: Place, trial: number): Plan {
  return planAt(plan, search, place, {
    name: `${search.name}-trial-${trial}`,
    title: `trial ${trial} of at most ${search.runs} of the search ${search.name}`,
    ...(isSection(plan['privacy']) ? {} : { evaluation: nested(plan) }),
  });
}

function nested(plan: PlanText): object {
  const { every, earlyStopping } = evaluationOf(plan);
  // after the last round at least
  return {
    split: 'nested',
    every: every ?? 10_000,
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
  };
}

/** The plan that is trained with the chosen values and tested, once, on what no trial has seen. */
export function chosenPlan(plan: PlanText, search: Search, place: Place): Plan {
  return planAt(plan, search, place, {
    name: `${search.name}-chosen`,
    title: `chosen by the search ${search.name} of at most ${search.runs} trials`,
  });
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
