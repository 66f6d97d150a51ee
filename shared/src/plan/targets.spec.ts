import { describe, expect, it } from '@jest/globals';
import { isRegulonError } from '../errors/index.js';
import { parsePlan } from './parse.js';
import { headTargets, targetWidth } from './targets.js';
import { toyPlan } from './toy-plan.support.js';

const sites = ['a', 'b', 'c', 'd', 'e'];
const dense = { type: 'dense', units: 'outputs' };
const subtype = {
  ...{ head: 'subtype', kind: 'classes' },
  classes: ['x', 'y'].map((name) => ({ name, rule: `label == '${name}'` })),
};
const grading = { head: 'grading', kind: 'numbers', columns: ['index'], center: 50, scale: 10 };
const relapse = { head: 'relapse', kind: 'survival', time: 'months', event: 'relapse' };
const heads = [
  { block: 'relapse', loss: { type: 'cox' } },
  { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
  { block: 'grading', loss: { type: 'squared-error' } },
];
const blocks = [
  { name: 'trunk', layers: [{ type: 'dense', units: 4 }] },
  ...['subtype', 'grading', 'relapse'].map((name) => ({ name, from: 'trunk', layers: [dense] })),
];
const planOf = (changes: object = {}): Record<string, unknown> =>
  toyPlan(sites, {
    ...{ task: 'heads', label: undefined, targets: [subtype, grading, relapse], model: { blocks, heads } },
    ...changes,
  });
const messageOf = (changes: object): string => {
  try {
    parsePlan(planOf(changes));
  } catch (error) {
    if (isRegulonError(error, 'E_PLAN')) return error.message;
    throw error;
  }
  return 'accepted';
};
const withHead = (index: number, change: object): object => ({
  model: { blocks, heads: heads.map((head, h) => (h === index ? { ...head, ...change } : head)) },
});

describe('a plan with several heads', () => {
  it('has its targets in the order of the model', () => {
    const targets = headTargets(parsePlan(planOf()));
    expect(targets.map(({ target }) => [target.head, targetWidth(target)])).toEqual([
      ['relapse', 2],
      ['subtype', 1],
      ['grading', 1],
    ]);
  });

  it.each<[string, object, string]>([
    ['no targets', { targets: undefined }, 'targets: heads need a target each'],
    ['a head without one', { targets: [subtype, grading] }, 'targets: head relapse needs one target'],
    ['a head with two', { targets: [subtype, subtype, grading, relapse] }, 'head subtype needs one target'],
    [
      'a target of no head',
      { targets: [{ ...subtype, head: 'trunk' }] },
      'targets[0].head: the model has no such head',
    ],
    ['no heads', { model: { blocks } }, 'model.heads: a task of heads declares them, with a loss each'],
    [
      'classes beside them',
      { label: { classes: subtype.classes } },
      'label: the classes of a head stand in targets',
    ],
    [
      'times learnt as a number',
      withHead(0, { loss: { type: 'squared-error' } }),
      'survival are learnt by cox, discrete-time',
    ],
    [
      'too few outputs',
      withHead(1, { outputs: 3 }),
      'model.heads[1].outputs: the target of subtype asks for outputs: 2',
    ],
    [
      'intervals without outputs',
      withHead(0, { loss: { type: 'discrete-time', edges: [1, 2, 3] } }),
      'asks for outputs: 3',
    ],
    ['shifted counts', withHead(2, { loss: { type: 'poisson' } }), 'poisson reads its target as it is'],
    [
      'scores of one target',
      { evaluation: { split: 'holdout', metrics: ['errors'] } },
      'each head is scored by what it learns',
    ],
    [
      'baselines of one target',
      { evaluation: { split: 'holdout', baselines: [{ name: 'ridge' }] } },
      'ridge is no baseline of the task heads',
    ],
    ['another task', { task: 'reconstruct' }, 'targets: reconstruct has one target'],
  ])('is refused with %s', (_, changes, rule) => {
    expect(messageOf(changes)).toContain(rule);
  });

  it('is accepted with a head for each target', () => {
    expect(messageOf({})).toBe('accepted');
    const edges = { outputs: 2, loss: { type: 'discrete-time', edges: [12, 60] } };
    expect(messageOf(withHead(0, edges))).toBe('accepted');
  });
});
