import { toyPlan } from '../../shared/src/plan/toy-plan.support.js';

export { toyPlan };

/** A plan over the data that `simulatedLayout` makes for processes; `more` replaces whole sections. */
export function simulatedDataPlan(
  sites: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return toyPlan(sites, {
    seed: 5,
    dataset: { name: 'simulated-rnaseq', kind: 'expression', scale: 'counts', unit: 'patient' },
    label: { classes: ['Basal', 'LumA', 'LumB'].map((name) => ({ name, rule: `subtype == "${name}"` })) },
    secureAggregation: { weightCap: 128 },
    deadlines: {},
    ...more,
  });
}
