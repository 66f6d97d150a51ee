import { beforeAll, describe, expect, it } from '@jest/globals';
import { mlpNet, softmaxNet } from '../support/reference-nets/index.js';
import { breaksBound, effort, measured, TIMEOUT_MS } from './support/attack-report.js';
import { Draws, INPUTS, type Units } from './support/nets.js';
import { PrivateTrainer, type Protection } from './support/private-trainer.js';
import { areaBound, areaError, areaOf, curveOf, muOf, powerBound, type Scores } from './support/roc.js';

const [MEMBERS, STEPS] = [60, 100];
/** A model that is attacked: without hidden units it is logistic. */
interface Attacked {
  readonly hidden?: number;
  readonly classes: number;
}
const LOGISTIC: Attacked = { classes: 2 };
const models = effort(4, 40);

let trainer: PrivateTrainer;
beforeAll(async () => {
  trainer = await PrivateTrainer.start();
});

/** Loss of each unit under a model: what the attacker thresholds, with the sign turned round. */
function scoresOf(weights: Float32Array, { x, y }: Units, { hidden, classes }: Attacked): number[] {
  const net = hidden === undefined ? softmaxNet(INPUTS, classes) : mlpNet(INPUTS, hidden, classes);
  const flat = Float64Array.from(weights);
  return x.map((unit, i) => -net.lossAndGradient(flat, [unit], [y[i]!]).loss);
}

/** Members and others of several models with labels that mean nothing: a good score is a memory. */
async function attacked(protection: Protection | undefined, kind = LOGISTIC): Promise<Scores> {
  const { hidden, classes } = kind;
  const scores = { members: [] as number[], others: [] as number[] };
  for (let model = 0; model < models; model++) {
    const draws = new Draws(`A7 ${model}`);
    const [inside, outside] = [draws.units(MEMBERS, INPUTS, classes), draws.units(MEMBERS, INPUTS, classes)];
    const size = trainer.network(INPUTS, hidden, classes).specs.reduce((n, spec) => n + spec.size, 0);
    const start = Float32Array.from(draws.normals(size), (w) => (hidden === undefined ? 0 : 0.15 * w));
    const learningRate = hidden === undefined ? 0.5 : 1;
    const training = {
      units: inside,
      start,
      ...(hidden ? { hidden } : {}),
      classes,
      steps: STEPS,
      learningRate,
    };
    const weights = protection
      ? await trainer.trained(training, protection, `A7 ${model} ${protection.noiseMultiplier}`)
      : await trainer.unprotected(training);
    scores.members.push(...scoresOf(weights, inside, kind));
    scores.others.push(...scoresOf(weights, outside, kind));
  }
  return scores;
}

/** @param mu of the noise that is claimed; undefined without */
function note(setting: string, defence: string, scores: Scores, mu?: number) {
  const value = areaOf(scores);
  const more = mu === undefined ? {} : { bound: areaBound(mu), standardError: areaError(value, scores) };
  const curve = curveOf(scores, mu === undefined ? undefined : (rate) => powerBound(rate, mu));
  return measured({ attack: 'A7', setting, defence, measure: 'AUC', value, ...more, curve });
}

describe('A7 membership by the loss of a unit', () => {
  it(
    'control: an over-fitted MLP tells its members, a logistic model most of them',
    async () => {
      expect(
        note('MLP 64-32-10, 60 units', 'none', await attacked(undefined, { hidden: 32, classes: 10 })).value,
      ).toBeGreaterThan(0.97);
      expect(note('logistic, 60 units', 'none', await attacked(undefined)).value).toBeGreaterThan(0.75);
    },
    TIMEOUT_MS,
  );

  it.each([5, 20, 40])(
    'noise z = %d over 100 steps keeps the attack below the bound of its μ',
    async (z) => {
      const scores = await attacked({ noiseMultiplier: z });
      const line = note('logistic, 60 units, 100 steps', `DP-SGD z = ${z}`, scores, muOf(z, STEPS));
      expect(breaksBound(line)).toBe(false);
    },
    TIMEOUT_MS,
  );

  it(
    'control: the same training with hardly any noise breaks the bound of the noise that it claims',
    async () => {
      const scores = await attacked({ noiseMultiplier: 0.01 });
      const line = note('logistic, z = 40 claimed', 'noise left out', scores, muOf(40, STEPS));
      expect(breaksBound(line)).toBe(true);
    },
    TIMEOUT_MS,
  );
});
