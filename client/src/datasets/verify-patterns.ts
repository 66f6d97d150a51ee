import { hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { countedTargets, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';

/**
 * Outside public runs no few patients stand alone in what heads or omics tell apart.
 *
 * Each class, answer, number, event and omic has sums of its own beside those of all units, and what combinations of them
 * tell is a sum over the patients who have one pattern of all of these. A pattern of 1 to 4 patients is refused, unless
 * it is all that one of them counts at this site: that has a minimum over all sites.
 *
 * @param unitsOf units of an arm; not asked for where a plan has neither heads nor omics
 * @param least patients that a pattern needs
 * @throws E_UNITS
 */
export function verifyPatterns(unitsOf: () => UnitsView, plan: Plan, least: number): void {
  if (plan.task !== 'heads' && plan.dataset.kind !== 'omics') return;
  const view = unitsOf();
  const bitsOf = levelsOf(view, plan);
  const patterns = new Map<string, { bits: Uint8Array; units: number; patients: Set<number> }>();
  let counts: Uint32Array | undefined;
  for (let unit = 0; unit < view.n; unit++) {
    const bits = bitsOf(unit);
    counts ??= new Uint32Array(bits.length);
    for (let level = 0; level < bits.length; level++) counts[level]! += bits[level]!;
    const key = hex(sha256(bits));
    const pattern = patterns.get(key) ?? { bits, units: 0, patients: new Set() };
    pattern.units++;
    pattern.patients.add(view.patients?.[unit] ?? unit);
    patterns.set(key, pattern);
  }
  for (const { bits, units, patients } of patterns.values()) {
    if (patients.size >= least || bits.some((bit, level) => bit === 1 && counts?.[level] === units)) continue;
    throw new RegulonError(
      'E_UNITS',
      `fewer than ${least} patients of this site share what heads and omics of the plan tell of them`,
      {
        hint: 'leave these patients out of the dataset, or ask the researcher for fewer heads, classes or omics',
      },
    );
  }
}

/** Of a unit, 1 for each class, counted target and omic that it has. */
function levelsOf(view: UnitsView, plan: Plan): (unit: number) => Uint8Array {
  const { n, genes, values, classes, labels, targets = new Float64Array(0), omics = [] } = view;
  const counted = countedTargets(plan);
  const width = targets.length / n;
  return (unit) => {
    const row = targets.subarray(unit * width, (unit + 1) * width);
    return Uint8Array.from(
      [
        ...Array.from({ length: classes }, (_, k) => labels?.[unit] === k),
        ...counted.map(({ counts }) => counts(row)),
        ...omics.map(([first = 0]) => !Number.isNaN(values[unit * genes + first])),
      ],
      Number,
    );
  };
}
