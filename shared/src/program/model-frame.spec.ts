import { describe, expect, it } from '@jest/globals';
import { LETTERS } from '../genomics/index.js';
import { parsePlan, type Plan } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { modelFrameOf } from './model-frame.js';

/** A plan over three bases with a class for each. */
const planOf = (layer: object): Plan =>
  parsePlan(
    toyPlan(['a', 'b', 'c', 'd', 'e'], {
      ...{ task: 'heads', label: undefined, prepare: [] },
      dataset: { name: 'toy', kind: 'sequences', scale: 'bases', unit: 'sequence' },
      targets: [
        { head: 'coding', kind: 'track', columnsPrefix: 'base_', length: 3, classes: ['outside', 'coding'] },
      ],
      model: {
        blocks: [{ name: 'coding', layers: [{ type: 'conv1d', filters: 2, ...layer }] }],
        heads: [{ block: 'coding', outputs: 2, loss: { type: 'cross-entropy' } }],
      },
    }),
  );

describe('a model of a track', () => {
  const same = planOf({ kernel: 3, padding: 'same' });

  it('labels each base of a sequence', () => {
    expect(modelFrameOf(same, 3 * LETTERS).inputShape).toEqual([3, LETTERS]);
  });

  it('is refused for sequences of another length, and where its layers cut bases off', () => {
    expect(() => modelFrameOf(same, 4 * LETTERS)).toThrow(
      'head coding labels 4 bases of a sequence of 4, its track 3',
    );
    expect(() => modelFrameOf(planOf({ kernel: 2 }), 3 * LETTERS)).toThrow(
      expect.objectContaining({
        code: 'E_MODEL_SHAPE',
        message: expect.stringMatching(/labels 2 bases/) as unknown,
      }),
    );
  });
});
