import { DiscreteGaussian, drawNormals, pldEpsilon, RandomWords, rdpEpsilon } from '@regulon/shared/privacy';
import { bestOf, cpuSecondsOf } from './best-of.js';
import type { BenchOptions } from './main.js';
import { privateSteps } from './private-steps.js';
import { type BenchRow, row } from './report.js';

const TRAINING = { q: 0.01, z: 1.1, steps: 10_000 };
const DELTA = 1e-5;

/** Samplers on one core, by CPU time; accountants on one training of 10,000 steps; steps of DP-SGD. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  const count = quick ? 500_000 : 4_000_000;
  say(`${count} samples a turn`);
  const best = await bestOf(quick ? 2 : 5, {
    small: () => exactRate(4, count),
    large: () => exactRate(2 ** 20, count),
    normal: () => normalRate(count),
    pld: async () => 1 / (await cpuSecondsOf(() => pldEpsilon([TRAINING], DELTA))),
    rdp: async () =>
      1 / (await cpuSecondsOf(() => rdpEpsilon([{ mechanism: 'gaussian', ...TRAINING }], DELTA))),
  });
  const rate = { unit: 'M/s', against: 'what 2·10⁷ parameters need', atLeast: 1.5 };
  const time = { unit: 's', against: '' };
  return [
    row({ name: 'exact discrete Gaussian, σ = 4', value: best.small, ...rate }),
    row({ name: 'exact discrete Gaussian, σ = 2²⁰', value: best.large, ...rate }),
    row({ name: 'standard normal', value: best.normal, unit: 'M/s', against: '' }),
    row({ name: 'PLD, grid 10⁻⁴, 10,000 steps', value: 1 / best.pld, ...time }),
    row({ name: 'RDP, 10,000 steps', value: 1 / best.rdp, ...time }),
    ...(await privateSteps(quick, say)),
  ];
}

async function exactRate(sigma: number, count: number): Promise<number> {
  const sampler = new DiscreteGaussian(sigma, new RandomWords());
  const words = new Int32Array(count);
  const seconds = await cpuSecondsOf(() => {
    for (let k = 0; k < count; k++) words[k] = sampler.next();
  });
  return count / seconds / 1e6;
}

async function normalRate(count: number): Promise<number> {
  const values = new Float64Array(count);
  const source = new RandomWords();
  const seconds = await cpuSecondsOf(() => drawNormals(values, source));
  return count / seconds / 1e6;
}
