import { RegulonError } from '@regulon/shared/errors';
import type { UnitsView } from '@regulon/shared/genomics';
import { headTargets, type Plan, targetWidth } from '@regulon/shared/plan';

/** Whether a unit is in something that sums tell apart: a class, an event, an omic that is there; −1 = it lacks it. */
type Level = (unit: number) => number;

/**
 * Outside public runs no few patients stand alone in what several heads or omics tell apart.
 *
 * Each head, class and omic has sums of its own, and what combinations of them tell is a sum over the patients who have one
 * pattern of all of these. A pattern of 1 to 4 patients is refused, unless it is a class, which has a minimum over all sites.
 *
 * @param view units of an arm
 * @param least patients that a pattern needs
 * @throws E_UNITS
 */
export function verifyPatterns(view: UnitsView, plan: Plan, least: number): void {
  const heads = headLevels(view, plan);
  const omics = (view.omics ?? []).map(([first = 0]): Level => {
    return (unit) => (Number.isNaN(view.values[unit * view.genes + first]) ? -1 : 1);
  });
  if (heads.length + omics.length < 2) return;
  const { labels } = view;
  const levels = [...(labels ? [(unit: number): number => labels[unit] ?? -1] : []), ...heads, ...omics];
  const patterns = new Map<string, number[]>();
  for (let unit = 0; unit < view.n; unit++) {
    const pattern = levels.map((level) => level(unit)).join();
    patterns.set(pattern, [...(patterns.get(pattern) ?? []), unit]);
  }
  const isFew = (units: readonly number[]): boolean =>
    new Set(units.map((unit) => view.patients?.[unit] ?? unit)).size < least;
  const few = [...patterns.values()].filter(isFew);
  if (few.every((units) => levels.some((level) => isLevel(level, units, view.n)))) return;
  throw new RegulonError(
    'E_UNITS',
    `fewer than ${least} patients of this site share what heads and omics of the plan tell of them`,
    {
      hint: 'leave these patients out of the dataset, or ask the researcher for fewer heads, classes or omics',
    },
  );
}

/** Classes, events and what is missing, head by head. */
function headLevels({ n, targets }: UnitsView, plan: Plan): Level[] {
  if (!targets) return [];
  const width = targets.length / n;
  let at = 0;
  return headTargets(plan).map(({ target }): Level => {
    const from = at;
    at += targetWidth(target);
    const end = at;
    return (unit) => {
      const row = targets.subarray(unit * width + from, unit * width + end);
      if (target.kind === 'classes') return row[0] ?? -1;
      if (row.every(Number.isNaN)) return -1;
      return target.kind === 'survival' ? (row[1] ?? 0) : presence(row);
    };
  });
}

/** Which numbers of a head are there; one number for each set. */
const presence = (row: Float64Array): number =>
  row.reduce((hash, value) => (Math.imul(hash, 31) + (Number.isNaN(value) ? 1 : 2)) >>> 0, 7);

/** Whether units are exactly those of one class, event or omic. */
function isLevel(level: Level, units: readonly number[], n: number): boolean {
  const value = level(units[0] ?? 0);
  if (value < 0) return false;
  let count = 0;
  for (let unit = 0; unit < n; unit++) if (level(unit) === value) count++;
  return count === units.length;
}
