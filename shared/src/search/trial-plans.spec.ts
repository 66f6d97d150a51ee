import { describe, expect, it } from '@jest/globals';
import { toyPlan } from '../plan/toy-plan.support.js';
import { gaussianEpsilon } from '../privacy/index.js';
import { chosenPlan, parseSearch, searchCost, searchDigest, trialPlan, verifySearchable } from './index.js';

const sites = ['a', 'b', 'c', 'd', 'e'];
const rate = { key: 'training.optimizer.learningRate', low: 1e-4, high: 1e-2, log: true };
const text = (more: object = {}) => ({
  ...{ schema: 'regulon.search/1', name: 's', plan: 'plan.yaml', runs: 9, space: [rate] },
  ...more,
});
const searchOf = (more: object = {}) => parseSearch(text(more));

describe('the plans of a search', () => {
  const plan = toyPlan(sites, {
    evaluation: { split: 'holdout', every: 2, metrics: ['roc'], earlyStopping: { patience: 3 } },
  });

  it('hold the test units out in every trial, and test them in the last run', () => {
    const search = searchOf();
    const trial = trialPlan(plan, search, [0.5], 4);
    expect(trial).toMatchObject({ name: 's-trial-4', evaluation: { split: 'nested', every: 2 } });
    expect(trial.evaluation.metrics).toBeUndefined();
    expect(trial.evaluation.earlyStopping?.patience).toBe(3);
    expect(trial.training.optimizer.learningRate).toBeCloseTo(1e-3, 12);
    const chosen = chosenPlan(plan, search, [1]);
    expect(chosen.evaluation).toMatchObject({ split: 'holdout', metrics: ['roc'] });
    expect(chosen.training.optimizer.learningRate).toBeCloseTo(1e-2, 12);
    expect(verifySearchable(plan, search).name).toBe('toy');
  });

  it('vary keys of lists and keys that the plan leaves to their default', () => {
    const space = [
      { key: 'prepare.1.k', low: 2, high: 8, whole: true },
      { key: 'training.localEpochs', values: [1, 5] },
    ];
    const trial = trialPlan(plan, searchOf({ space }), [0, 0.9], 1);
    expect([trial.prepare[1], trial.training.localEpochs]).toEqual([{ step: 'top-variance', k: 2 }, 5]);
    expect(plan['prepare']).toEqual(toyPlan(sites)['prepare']);
  });

  it.each([
    ['whose test units', toyPlan(sites, { evaluation: { split: 'det5' } }), {}, 'splits det5'],
    ['whose values make no plan', plan, { space: [{ ...rate, low: 0, log: false }] }, 'learningRate'],
    [
      'that lacks the key',
      plan,
      { space: [{ ...rate, key: 'training.optimizer.rates.low' }] },
      'has no place',
    ],
    ['that lacks the layer', plan, { space: [{ ...rate, key: 'model.blocks.0.layers.7' }] }, 'has no place'],
    ['with a key of its making', plan, { space: [{ ...rate, key: 'training.__proto__.x' }] }, 'has no place'],
    [
      'whose grid is larger than the runs',
      plan,
      { method: { name: 'grid', steps: 10 } },
      'more places than the 9 runs',
    ],
  ])('are refused of a plan %s', (_, of, more, words) => {
    expect(() => verifySearchable(of, searchOf(more))).toThrow(words);
  });

  describe('of a plan that claims privacy', () => {
    const claim = {
      unit: 'patient',
      adjacency: 'add-or-remove-one',
      noiseMultiplier: 8,
      localSteps: 3,
      clipNorm: 1,
    };
    const secret = toyPlan(sites, {
      ...{
        prepare: [{ step: 'log2-cpm' }],
        evaluation: { split: 'none' },
        privacy: { ...claim, delta: 1e-3 },
      },
    });
    const validation = { data: 'counts.tsv', labels: 'labels.tsv' };
    const budget = (epsilon: number, more: object = {}) => searchOf({ epsilon, validation, ...more });

    it('stay as they are, and their cost is that of all trials together, each with the most rounds', () => {
      const space = [rate, { key: 'training.rounds', low: 2, high: 5, whole: true }];
      expect(trialPlan(secret, budget(9), [0.5], 2)).toMatchObject({
        name: 's-trial-2',
        evaluation: { split: 'none' },
      });
      const cost = searchCost(secret, budget(9, { space })) ?? NaN;
      // Gaussian steps add up in 1/z²: 9 trials of 5 rounds of 3 steps at z = 8, and 9 counts at z = 10
      expect(cost).toBeCloseTo(gaussianEpsilon(Math.sqrt((9 * 15) / 64 + 9 / 100), 1e-3), 9);
      expect(verifySearchable(secret, budget(cost * 1.001, { space })).name).toBe('toy');
      expect(() => verifySearchable(secret, budget(cost * 0.999, { space }))).toThrow(
        expect.objectContaining({ code: 'E_PRIVACY' }),
      );
      // the value of most rounds counts, wherever it stands
      const listed = [{ key: 'training.rounds', values: [2, 5, 3] }];
      expect(searchCost(secret, budget(9, { space: listed }))).toBe(cost);
      expect(searchCost(plan, searchOf())).toBeNull();
    });

    it.each([
      ['a budget', { validation }, 'epsilon is missing'],
      ['samples to compare models by', { epsilon: 9 }, 'validation is missing'],
    ])('are refused without %s', (_, more, words) => {
      expect(() => verifySearchable(secret, searchOf(more))).toThrow(words);
    });

    it('are no others: sums score a plan without the claim', () => {
      expect(() => verifySearchable(plan, budget(9))).toThrow('the plan claims no privacy');
    });
  });
});

describe('the declaration of a search', () => {
  it.each([
    ['seed', 'only keys below'],
    ['sites.0', 'only keys below'],
    ['label.classes', 'only keys below'],
    ['evaluation.every', 'only keys below'],
    ['privacy.noiseMultiplier', 'only keys below'],
  ])('varies no %s', (key, words) => {
    expect(() => searchOf({ space: [{ ...rate, key }] })).toThrow(words);
  });

  it('has usual ranges for keys of which nothing else is said, and none for others', () => {
    const space = ['training.optimizer.learningRate', 'model.blocks.0.layers.0.units'].map((key) => ({
      key,
    }));
    expect(searchOf({ space }).space).toEqual([
      { ...rate, whole: false },
      { key: space[1]?.key, low: 32, high: 512, log: false, whole: true },
    ]);
    expect(() => searchOf({ space: [{ key: 'prepare.1.k' }] })).toThrow('search: space[0]');
  });

  it('refuses unknown keys, keys that are said twice, and a search without runs', () => {
    expect(() => searchOf({ steps: 3 })).toThrow('search: steps: unknown key');
    expect(() => searchOf({ space: [rate, rate] })).toThrow('keys are unique');
    expect(() => searchOf({ runs: 0 })).toThrow('search: runs');
  });

  it('is another search under another name, budget, space, plan or samples, wherever the file of the plan lies', () => {
    const digests = [{}, { name: 't' }, { runs: 8 }, { seed: 1 }, { space: [{ ...rate, high: 1 }] }].map(
      (more) => searchDigest(searchOf(more), 'sha256:0'),
    );
    digests.push(searchDigest(searchOf(), 'sha256:1'));
    digests.push(...['a', 'b'].map((samples) => searchDigest(searchOf(), 'sha256:0', samples)));
    expect(new Set(digests).size).toBe(8);
    expect(searchDigest(searchOf({ plan: 'other.yaml' }), 'sha256:0')).toBe(digests[0]);
  });
});
