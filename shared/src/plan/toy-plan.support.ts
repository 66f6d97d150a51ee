/** A plan over made-up data that every test federation can carry out; `more` replaces whole sections. */
export function toyPlan(
  sites: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    schema: 'regulon.plan/1',
    name: 'toy',
    seed: 3,
    sites: [...sites],
    dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
    task: 'classify',
    label: {
      classes: [
        { name: 'x', rule: 'x' },
        { name: 'y', rule: 'not x' },
      ],
    },
    prepare: [{ step: 'log2-cpm' }, { step: 'top-variance', k: 8 }, { step: 'z-score' }],
    model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
    training: { rounds: 3, optimizer: { name: 'adam' } },
    evaluation: { split: 'holdout' },
    secureAggregation: { weightCap: 64 },
    deadlines: { roundDeadlineSeconds: 60, idleLimitSeconds: 60 },
    ...more,
  };
}
