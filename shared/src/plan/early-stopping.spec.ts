import { describe, expect, it } from '@jest/globals';
import { hex, sha256 } from '../crypto/index.js';
import { stoppingRuleSchema, stoppingState, validationDigest } from './early-stopping.js';

const losses = (...values: number[]) => values.map((value) => ({ loss: String(value), accuracy: '0.5' }));
const rule = (more: Record<string, unknown>) => stoppingRuleSchema.parse({ patience: 2, ...more });

describe('stoppingState', () => {
  it('goes on while the loss falls, and stops after as many rounds without an improvement as the patience', () => {
    expect(stoppingState(losses(3, 2, 1), rule({}))).toEqual({ best: 2, stops: false });
    expect(stoppingState(losses(3, 1, 2), rule({}))).toEqual({ best: 1, stops: false });
    expect(stoppingState(losses(3, 1, 2, 1), rule({}))).toEqual({ best: 1, stops: true });
  });

  it('counts only improvements larger than minDelta, and the best is the last of these', () => {
    const few = rule({ minDelta: 0.5 });
    expect(stoppingState(losses(3, 2.75, 2.5), few)).toEqual({ best: 0, stops: true });
    expect(stoppingState(losses(3, 2.75, 2.25), few)).toEqual({ best: 2, stops: false });
  });

  it('takes the largest accuracy', () => {
    const figures = ['0.5', '0.75', '0.7', '0.75'].map((accuracy) => ({ loss: '1', accuracy }));
    expect(stoppingState(figures, rule({ metric: 'accuracy' }))).toEqual({ best: 1, stops: true });
  });

  it('decides nothing without figures', () => {
    expect(() => stoppingState([], rule({}))).toThrow(expect.objectContaining({ code: 'E_STATE' }));
    expect(() => stoppingState([{ loss: '1' }], rule({ metric: 'accuracy' }))).toThrow(
      expect.objectContaining({ code: 'E_STATE' }),
    );
  });
});

it('a digest of a validation covers the model and each figure', () => {
  const figures = { loss: '0.25', accuracy: '0.75' };
  const of = (model: Uint8Array, more: object) => hex(validationDigest(model, { ...figures, ...more }));
  const all = [of(sha256(), {}), of(new Uint8Array(32), {}), of(sha256(), { loss: '0.5' })];
  expect(new Set([...all, of(sha256(), { accuracy: '0.5' })]).size).toBe(4);
});
