import { RegulonError } from '@regulon/shared/errors';
import { DiscreteGaussian, LEAST_LOCAL_SIGMA, RandomWords, wholeSigma } from '@regulon/shared/privacy';
import type { RingMechanism, RingSampler, RingSamplers } from '@regulon/shared/secagg';

/**
 * Adds exact discrete Gaussian noise to ring words, under a key of the operating system's generator drawn for each call.
 * The standard deviation is rounded up to a whole number of ring units: never less than what is charged.
 */
export const discreteGaussianSampler: RingSampler = {
  name: 'discrete-gaussian/1',

  /** @throws E_PRIVACY below 4 ring units of standard deviation, where sums are no discrete Gaussian any more */
  add(words: Int32Array, variance: number): void {
    if (!(variance >= LEAST_LOCAL_SIGMA ** 2))
      throw new RegulonError(
        'E_PRIVACY',
        `noise in the ring needs a standard deviation of at least ${LEAST_LOCAL_SIGMA} ring units at each site`,
        { hint: 'raise secureAggregation.quantizationBits or the noise of the plan' },
      );
    const sampler = new DiscreteGaussian(wholeSigma(variance), new RandomWords());
    // 32-bit arithmetic is that of the ring
    for (let k = 0; k < words.length; k++) words[k] = (words[k]! + sampler.next()) | 0;
  },
};

/** What this program draws noise in the ring with: mechanisms with an exact sampler only. */
export const exactSamplers: RingSamplers = new Map<RingMechanism, RingSampler>([
  [1, discreteGaussianSampler],
]);
