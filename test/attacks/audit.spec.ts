import { beforeAll, describe, expect, it } from '@jest/globals';
import { breaksBound, effort, type Measured, measured, TIMEOUT_MS } from './support/attack-report.js';
import { PrivateTrainer, type Protection } from './support/private-trainer.js';
import {
  curveOf,
  histogramOf,
  muOf,
  powerAt,
  powerBound,
  powerError,
  sampledPowerBound,
  type Scores,
} from './support/roc.js';

/** An attacker who sees every weight and plants a patient whose gradient has one known direction. */
const TRIALS = effort(300, 3000);
const [CLASSES, LEARNING_RATE, CANARY] = [2, 2 ** -20, 1e4];
const RATES = [0.05, 0.2] as const;
const others = { x: [1, 2, 3].map((k) => [0, Math.sin(k)]), y: [0, 1, 0] };

let trainer: PrivateTrainer;
beforeAll(async () => {
  trainer = await PrivateTrainer.start();
});

interface Claim {
  readonly steps: number;
  readonly protection: Protection;
  /** records of the planted patient */
  readonly records?: number;
  /** patients of the records; absent: those records are one patient */
  readonly apart?: boolean;
}

/** How far the weights moved along the direction of the planted patient, in clip norms. */
async function moved({ steps, protection, records = 1, apart = false }: Claim, isIn: boolean, trial: number) {
  const planted = Array.from({ length: isIn ? records : 0 }, () => [CANARY, 0]);
  const units = { x: [...others.x, ...planted], y: [...others.y, ...planted.map(() => 0)] };
  const patients = units.x.map((_, i) => (apart || i < others.x.length ? i : others.x.length));
  const start = new Float32Array(2 * CLASSES + CLASSES);
  const training = { units, start, classes: CLASSES, steps, learningRate: LEARNING_RATE, patients };
  // the denominator is a constant: with or without the patient
  const constant = { patients: 4, recordsPerPatient: records, ...protection };
  const weights = await trainer.trained(
    training,
    constant,
    `audit ${isIn} ${trial} ${protection.noiseMultiplier}`,
  );
  const denominator = 4 * (protection.samplingRate ?? 1);
  return (((weights[0]! - weights[1]!) / Math.SQRT2) * denominator) / LEARNING_RATE;
}

async function played(claim: Claim): Promise<Scores> {
  const scores = { members: [] as number[], others: [] as number[] };
  for (let trial = 0; trial < TRIALS; trial++) {
    scores.members.push(await moved(claim, true, trial));
    scores.others.push(await moved(claim, false, trial));
  }
  return scores;
}

function notes(
  setting: string,
  defence: string,
  scores: Scores,
  boundAt: (rate: number) => number,
): Measured[] {
  const pictures = { curve: curveOf(scores, boundAt), histogram: histogramOf(scores) };
  return RATES.map((rate, i) => {
    const bound = boundAt(rate);
    const [value, standardError] = [powerAt(rate, scores), powerError(rate, bound, scores)];
    const measure = `TPR at ${100 * rate} % FPR`;
    const reached = { setting, defence, measure, value, bound, standardError };
    return measured({ attack: 'A7 planted', ...reached, ...(i === 0 ? pictures : {}) });
  });
}

describe('A7 a planted patient: the bound of the accountant against the trainer of a daemon', () => {
  const [z, steps] = [2, 4];
  const boundAt = (rate: number): number => powerBound(rate, muOf(z, steps));
  const play = async (setting: string, defence: string, claim: Claim): Promise<Measured[]> =>
    notes(setting, defence, await played(claim), boundAt);
  const planted = `planted patient, ${steps} steps, z = ${z} claimed`;

  it(
    'is found as often as the bound allows, and no more often',
    async () => {
      const lines = await play(planted, `DP-SGD z = ${z}`, { steps, protection: { noiseMultiplier: z } });
      expect(lines.filter(breaksBound)).toEqual([]);
      // the attack is as good as any: else the bound would catch no defect
      for (const { value, bound = 1, standardError = 0 } of lines)
        expect(value).toBeGreaterThan(bound - 4 * standardError);
    },
    TIMEOUT_MS,
  );

  it.each<[string, Claim]>([
    ['half of the noise', { steps, protection: { noiseMultiplier: z / 2 } }],
    ['twice the clip norm', { steps, protection: { noiseMultiplier: z / 2, clipNorm: 2 } }],
    ['four times the steps', { steps: 4 * steps, protection: { noiseMultiplier: z } }],
    ['records clipped one by one', { steps, protection: { noiseMultiplier: z }, records: 3, apart: true }],
  ])(
    'control: %s breaks it',
    async (defect, claim) => {
      const lines = await play(planted, `defect: ${defect}`, claim);
      expect(lines.filter(breaksBound).length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'three records of one patient count as one',
    async () => {
      const lines = await play(`${planted}, 3 records`, `DP-SGD z = ${z}`, {
        ...{ steps, protection: { noiseMultiplier: z }, records: 3 },
      });
      expect(lines.filter(breaksBound)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('A7 a planted patient under Poisson sampling: the bound of the loss distribution', () => {
  const [z, steps, samplingRate] = [1, 4, 0.25];
  const boundAt = (rate: number): number => sampledPowerBound(rate, { q: samplingRate, z, steps });
  const play = async (defence: string, protection: Protection): Promise<Measured[]> =>
    notes(
      `planted patient, ${steps} steps, z = ${z}, q = ${samplingRate} claimed`,
      defence,
      await played({ steps, protection }),
      boundAt,
    );

  it(
    'holds',
    async () => {
      const lines = await play(`DP-SGD z = ${z}, q = ${samplingRate}`, { noiseMultiplier: z, samplingRate });
      expect(lines.filter(breaksBound)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'control: everybody in every step breaks it',
    async () => {
      const lines = await play('defect: no sampling', { noiseMultiplier: z, samplingRate: 1 });
      expect(lines.filter(breaksBound).length).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
