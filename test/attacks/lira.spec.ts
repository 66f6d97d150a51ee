import { beforeAll, describe, expect, it } from '@jest/globals';
import { mlpNet, softmaxNet } from '../support/reference-nets/index.js';
import { breaksBound, effort, type Measured, measured, TIMEOUT_MS } from './support/attack-report.js';
import { Draws, INPUTS } from './support/nets.js';
import { PrivateTrainer, type Protection } from './support/private-trainer.js';
import { curveOf, histogramOf, muOf, powerAt, powerBound, powerError, type Scores } from './support/roc.js';

const [CLASSES, STEPS, UNITS] = [2, 100, 100];
const models = effort(16, 32);
const all = new Draws('A8').units(UNITS, INPUTS, CLASSES);

let trainer: PrivateTrainer;
beforeAll(async () => {
  trainer = await PrivateTrainer.start();
});

/** One shadow model: who was in it, and φ = ln(p / (1 − p)) of every unit under it. */
interface Shadow {
  readonly isIn: readonly boolean[];
  readonly phi: readonly number[];
}

async function shadow(m: number, protection: Protection | undefined, hidden?: number): Promise<Shadow> {
  const net = hidden === undefined ? softmaxNet(INPUTS, CLASSES) : mlpNet(INPUTS, hidden, CLASSES);
  const draws = new Draws(`A8 shadow ${m}`);
  const isIn = all.x.map(() => draws.below(2) === 1);
  const own = { x: all.x.filter((_, i) => isIn[i]), y: all.y.filter((_, i) => isIn[i]) };
  const start = Float32Array.from(draws.normals(net.size), (w) => (hidden === undefined ? 0 : 0.15 * w));
  const training = {
    ...{ units: own, start, classes: CLASSES, steps: STEPS },
    ...(hidden === undefined ? { learningRate: protection ? 0.5 : 4 } : { hidden, learningRate: 1 }),
  };
  const constant = { patients: UNITS / 2 };
  const weights = protection
    ? await trainer.trained(training, { ...constant, ...protection }, `A8 ${m} ${protection.noiseMultiplier}`)
    : await trainer.unprotected(training);
  const flat = Float64Array.from(weights);
  const lossOf = (unit: number[], label: number): number => net.lossAndGradient(flat, [unit], [label]).loss;
  // ln(p / (1 − p)) of two classes; from p itself it would be infinite where noise made the model sure
  const phi = all.x.map((unit, i) => lossOf(unit, 1 - all.y[i]!) - lossOf(unit, all.y[i]!));
  return { isIn, phi };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Each model in turn against the others: log-likelihood ratio of two normals with the spread of all shadows. */
function likelihoods(shadows: readonly Shadow[]): Scores {
  const scores = { members: [] as number[], others: [] as number[] };
  shadows.forEach((target, t) => {
    all.x.forEach((_, i) => {
      const rest = shadows.filter((__, s) => s !== t);
      const [inside, outside] = [true, false].map((side) =>
        rest.filter(({ isIn }) => isIn[i] === side).map(({ phi }) => phi[i]!),
      ) as [number[], number[]];
      if (inside.length < 2 || outside.length < 2) return;
      const [a, b] = [mean(inside), mean(outside)];
      const spread = mean([...inside.map((v) => (v - a) ** 2), ...outside.map((v) => (v - b) ** 2)]);
      const score = ((target.phi[i]! - b) ** 2 - (target.phi[i]! - a) ** 2) / (2 * spread);
      scores[target.isIn[i] ? 'members' : 'others'].push(score);
    });
  });
  return scores;
}

async function attacked(
  defence: string,
  protection: Protection | undefined,
  { mu, hidden }: { readonly mu?: number; readonly hidden?: number } = {},
): Promise<Measured[]> {
  const shadows: Shadow[] = [];
  for (let m = 0; m < models; m++) shadows.push(await shadow(m, protection, hidden));
  const scores = likelihoods(shadows);
  const boundAt = mu === undefined ? undefined : (rate: number): number => powerBound(rate, mu);
  const pictures = { curve: curveOf(scores, boundAt), histogram: histogramOf(scores) };
  return [0.01, 0.001].map((rate, i) => {
    const value = powerAt(rate, scores);
    const bound = mu === undefined ? {} : boundOf(rate, mu, scores);
    const kind = hidden === undefined ? 'logistic' : `MLP ${INPUTS}-${hidden}-${CLASSES}`;
    const setting = `${kind}, ${UNITS / 2} of ${UNITS} units, ${models} shadow models`;
    return measured({
      attack: 'A8',
      setting,
      defence,
      measure: `TPR at ${100 * rate} % FPR`,
      value,
      ...bound,
      ...(i === 0 ? pictures : {}),
    });
  });
}

function boundOf(rate: number, mu: number, scores: Scores) {
  const bound = powerBound(rate, mu);
  return { bound, standardError: powerError(rate, bound, scores) };
}

describe('A8 likelihood ratios of shadow models (LiRA)', () => {
  it(
    'control: members are found many times more often than others are mistaken for them',
    async () => {
      const [atOne] = await attacked('none', undefined);
      expect(atOne!.value).toBeGreaterThan(0.04);
      const [ofMlp] = await attacked('none', undefined, { hidden: 32 });
      expect(ofMlp!.value).toBeGreaterThan(0.15);
    },
    TIMEOUT_MS,
  );

  it.each([5, 20])(
    'noise z = %d over 100 steps keeps the share of members found below its bound',
    async (z) => {
      const lines = await attacked(`DP-SGD z = ${z}`, { noiseMultiplier: z }, { mu: muOf(z, STEPS) });
      expect(lines.filter(breaksBound)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'control: hardly any noise breaks the bound of the noise that is claimed',
    async () => {
      const lines = await attacked(
        'z = 20 claimed, noise left out',
        { noiseMultiplier: 0.01 },
        { mu: muOf(20, STEPS) },
      );
      expect(lines.filter(breaksBound).length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
