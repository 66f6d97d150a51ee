import { describe, expect, it } from '@jest/globals';
import { isRegulonError } from '../errors/index.js';
import { parsePlan } from './parse.js';
import { toyPlan } from './toy-plan.support.js';

const privacy = {
  ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 2, samplingRate: 0.1 },
  ...{ localSteps: 10, clipNorm: 1, delta: 1e-3 },
};
const base = { prepare: [{ step: 'log2-cpm' }], evaluation: { split: 'none' }, privacy };
const messageOf = (change: object): string => {
  try {
    parsePlan(toyPlan(['a', 'b', 'c', 'd', 'e'], { ...base, ...change }));
  } catch (error) {
    if (isRegulonError(error, 'E_PLAN')) return error.message;
    throw error;
  }
  return 'accepted';
};
const layers = (...types: object[]) => ({
  model: { blocks: [{ name: 'net', layers: [...types, { type: 'dense', units: 'outputs' }] }] },
});

describe('a plan that claims privacy of patients', () => {
  it('is accepted where nothing leaves but noised updates', () => {
    expect(messageOf({})).toBe('accepted');
    expect(messageOf(layers({ type: 'layer-norm' }, { type: 'dense', units: 4 }))).toBe('accepted');
  });

  it.each([
    ['q above 1', { samplingRate: 1.01 }, 'privacy.samplingRate'],
    ['q of 0', { samplingRate: 0 }, 'privacy.samplingRate'],
    ['negative noise', { noiseMultiplier: -1 }, 'privacy.noiseMultiplier'],
    ['no noise', { noiseMultiplier: 0 }, 'privacy.noiseMultiplier'],
    ['a clip norm of 0', { clipNorm: 0 }, 'privacy.clipNorm'],
    ['another unit', { unit: 'sample' }, 'privacy.unit'],
    ['another adjacency', { adjacency: 'replace-one' }, 'privacy.adjacency'],
    ['a word that nobody knows', { epsilom: 1 }, 'privacy.epsilom: unknown key'],
    ['no δ', { delta: 0 }, 'privacy.delta'],
    ['several records of a unit that is a patient', { recordsPerPatient: 2 }, 'privacy.recordsPerPatient'],
  ])('refuses %s', (_, wrong, path) => {
    expect(messageOf({ privacy: { ...privacy, ...wrong } })).toContain(path);
  });

  it.each([
    [
      'a preparation that sums',
      { prepare: [{ step: 'log2-cpm' }, { step: 'z-score' }] },
      'prepare[1].step: a plan that claims privacy is prepared by gene-list, log2, log2-cpm, clr only',
    ],
    ['an evaluation', { evaluation: { split: 'holdout' } }, 'evaluation.split: this sum has no noise yet'],
    ['a validation between rounds', { evaluation: { split: 'none', every: 1 } }, 'evaluation.'],
    [
      'noise of another claim',
      { secureAggregation: { weightCap: 64, quantizationBits: 20, noise: { mechanism: 'skellam', z: 1 } } },
      'secureAggregation.noise',
    ],
    [
      'full-batch gradients',
      { training: { rounds: 1, strategy: 'fed-sgd', optimizer: { name: 'sgd', learningRate: 1 } } },
      'training.strategy',
    ],
    [
      'epochs',
      { training: { rounds: 1, localEpochs: 2, optimizer: { name: 'adam' } } },
      'training.localEpochs: privacy.localSteps',
    ],
    [
      'a second clipping',
      { training: { rounds: 1, gradientClip: 1, optimizer: { name: 'adam' } } },
      'training.gradientClip',
    ],
    [
      'units that are nobody',
      { dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'library' } },
      'privacy.unit: units are library',
    ],
    [
      'a layer that cannot tell patients apart',
      layers({ type: 'dense', units: 2 }, { type: 'gaussian-code', units: 2 }),
      'model.blocks[0].layers[1].type: gaussian-code: gradients of this layer',
    ],
  ])('refuses %s by its path', (_, change, message) => {
    expect(messageOf(change)).toContain(message);
  });

  it('takes libraries whose patients are named, several a patient', () => {
    const dataset = {
      name: 'toy',
      kind: 'expression',
      scale: 'counts',
      unit: 'library',
      patientColumn: 'who',
    };
    expect(messageOf({ dataset, privacy: { ...privacy, recordsPerPatient: 3 } })).toBe('accepted');
  });
});
