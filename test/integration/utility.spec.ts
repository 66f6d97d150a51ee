import { describe, expect, it } from '@jest/globals';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile } from '@regulon/cli/sim';
import { costOfRun } from '@regulon/shared/program';
import { type Configuration, configurations, planOf } from '../utility/configurations.js';
import type { Measured } from '../utility/measure.js';
import { plotOf } from '../utility/plot.js';
import { tableOf } from '../utility/table.js';

const example = readPlanFile(exampleFile('brca3-private.yaml'));
const names = Array.from({ length: 20_531 }, (_, i) => `G${i}`);
const named = (wanted: string): Configuration => configurations.find(({ name }) => name === wanted)!;

describe('accuracy against ε', () => {
  it('measures the documented default: the example plan is the one of the table', () => {
    const { training, privacy, prepare, model } = planOf(example, named('linear-50'), {
      epsilon: 8,
      names,
      seed: 1,
    });
    expect({ training, privacy, prepare }).toEqual({
      ...{ training: example.training, privacy: example.privacy, prepare: example.prepare },
    });
    expect(model.blocks.flatMap(({ layers }) => layers)).toEqual(
      example.model.blocks.flatMap(({ layers }) => layers),
    );
  });

  it.each(configurations.map(({ name }) => name))('%s at ε = 8 costs that and not more', (name) => {
    const plan = planOf(example, named(name), { epsilon: 8, names, seed: 1 });
    const { reported } = costOfRun(plan)!;
    expect(reported.epsilon).toBeLessThanOrEqual(8);
    expect(reported.epsilon).toBeGreaterThan(7.9);
  });

  it('without a bound trains without any protection', () => {
    const plan = planOf(example, named('mlp-1000'), { epsilon: Infinity, names, seed: 1 });
    expect(plan.privacy).toBeUndefined();
    expect(plan.prepare[0]).toMatchObject({ step: 'gene-list' });
  });

  it('shows a row for each figure and a line for what has several', () => {
    const cost = { q: 1, z: 2, steps: 20, pld: 7.5, rdp: 8 };
    const of = (name: string, epsilon: number | null, share: number): Measured => ({
      ...{ name, epsilon, accuracy: [share, share], balanced: [0.5] },
      ...(epsilon === null ? {} : { cost }),
    });
    const rows = [of('a', 1, 0.6), of('a', 8, 0.8), of('a', null, 0.9), of('b', 8, 0.7)];
    const lines = tableOf(rows).trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[2]).toBe('| a | 1 | 2 | 1 | 20 | 7.500 | 8.000 | .600 | .600, .600 | .500 |');
    // a, a without protection, and the largest class; b has one point
    expect(plotOf(rows).match(/<polyline/g)).toHaveLength(3);
  });
});
