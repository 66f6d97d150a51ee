import { expect, it } from '@jest/globals';
import { testPlan } from '../policy/site.support.js';
import { outputsOf } from './outputs.js';

it('the numbers of a track are named base by base, and class by class where it has classes', () => {
  const namesOf = (classes: readonly string[] | undefined): string[] => {
    const outputs = classes?.length ?? 1;
    const plan = testPlan({
      ...{ task: 'heads', label: undefined, prepare: [] },
      dataset: { name: 'toy', kind: 'sequences', scale: 'bases', unit: 'sequence' },
      targets: [
        {
          ...{ head: 'coding', kind: 'track', columnsPrefix: 'base_', length: 2 },
          ...(classes && { classes }),
        },
      ],
      model: {
        blocks: [{ name: 'coding', layers: [{ type: 'conv1d', filters: outputs, kernel: 1 }] }],
        heads: [{ block: 'coding', outputs, loss: { type: classes ? 'cross-entropy' : 'squared-error' } }],
      },
    });
    return outputsOf(plan, { genes: [] }, []).map(({ name }) => name);
  };
  expect(namesOf(['outside', 'inside'])).toEqual([
    'coding: base_1 outside',
    'coding: base_1 inside',
    'coding: base_2 outside',
    'coding: base_2 inside',
  ]);
  expect(namesOf(undefined)).toEqual(['coding: base_1', 'coding: base_2']);
});
