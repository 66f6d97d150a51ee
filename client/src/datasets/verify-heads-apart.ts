import { RegulonError } from '@regulon/shared/errors';
import type { UnitsView } from '@regulon/shared/genomics';
import { headTargets, type Plan, targetWidth } from '@regulon/shared/plan';

/** One number of a unit's targets. */
interface Column {
  readonly head: string;
  readonly kind: 'classes' | 'numbers' | 'survival';
  /** place in the row of targets */
  readonly at: number;
}

/** What two targets say of one unit. */
type Pair = readonly [number, number];

/**
 * Outside public runs no two heads learn the same target: where one of them is missing at a site, or for a few patients, the
 * difference of their sums would be what these alone contribute.
 *
 * Classes are the same under other names too. A site without one of the two targets cannot see it; those that have both
 * refuse.
 *
 * @param view all units of the plan with their targets
 * @param least patients in whom two targets must differ, of those who have both
 * @throws E_UNITS naming both heads
 */
export function verifyHeadsApart(view: UnitsView, plan: Plan, least: number): void {
  const columns = columnsOf(plan);
  for (const [i, a] of columns.entries()) {
    const b = columns.slice(0, i).find((other) => other.head !== a.head && areTwins(view, a, other, least));
    if (!b) continue;
    throw new RegulonError(
      'E_UNITS',
      `model heads ${b.head} and ${a.head}: their targets differ in fewer than ${least} patients of this site`,
      {
        hint: 'ask the researcher to leave one of them out: the difference of both would tell of few patients',
      },
    );
  }
}

function columnsOf(plan: Plan): Column[] {
  let at = 0;
  return headTargets(plan).flatMap(({ target }) => {
    const from = at;
    at += targetWidth(target);
    const { head, kind } = target;
    // the time tells a survival apart, whatever is an event
    const places = kind === 'survival' ? [from] : Array.from({ length: at - from }, (_, c) => from + c);
    return places.map((place) => ({ head, kind, at: place }));
  });
}

/** Whether two columns have units in common, and say the same of all but a few patients. */
function areTwins({ n, targets, patients }: UnitsView, a: Column, b: Column, least: number): boolean {
  if (a.kind !== b.kind || !targets) return false;
  const width = targets.length / n;
  const pairOf = (unit: number): Pair => [
    targets[unit * width + a.at] ?? NaN,
    targets[unit * width + b.at] ?? NaN,
  ];
  const isThere = a.kind === 'classes' ? isClass : isNumber;
  const isSame = a.kind === 'classes' ? sameClass(n, pairOf) : isEqual;
  const apart = new Set<number>();
  let common = false;
  for (let unit = 0; unit < n; unit++) {
    const pair = pairOf(unit);
    if (!isThere(pair)) continue;
    common = true;
    if (isSame(pair)) continue;
    apart.add(patients?.[unit] ?? unit);
    // heads of thousands of columns: pairs that differ are left after a few units
    if (apart.size >= least) return false;
  }
  return common;
}

const isClass = ([x, y]: Pair): boolean => x >= 0 && y >= 0;
const isNumber = ([x, y]: Pair): boolean => !Number.isNaN(x) && !Number.isNaN(y);
const isEqual = ([x, y]: Pair): boolean => x === y;

/** Classes of two targets that mostly stand together, each with the other. */
function sameClass(n: number, pairOf: (unit: number) => Pair): (pair: Pair) => boolean {
  const pairs = Array.from({ length: n }, (_, unit) => pairOf(unit)).filter(isClass);
  const mostOften = (from: 0 | 1, to: 0 | 1): ((name: number) => number | undefined) => {
    const counts = new Map<number, Map<number, number>>();
    for (const pair of pairs) {
      const of = counts.get(pair[from]) ?? new Map<number, number>();
      counts.set(pair[from], of.set(pair[to], (of.get(pair[to]) ?? 0) + 1));
    }
    return (name) => [...(counts.get(name) ?? [])].sort(([, m], [, k]) => k - m)[0]?.[0];
  };
  const [forth, back] = [mostOften(0, 1), mostOften(1, 0)];
  return ([x, y]) => forth(x) === y && back(y) === x;
}
