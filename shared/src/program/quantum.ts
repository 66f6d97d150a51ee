import type { Plan } from '../plan/index.js';

/**
 * Q: ring units per clip norm, a power of two.
 *
 * The plan may name it; else it is the largest for which the sum of N clipped updates cannot wrap the 32-bit ring.
 */
export function quantumOf({ secureAggregation, sites }: Plan): number {
  const bits = secureAggregation.quantizationBits ?? Math.floor(Math.log2((2 ** 31 - 1) / sites.length));
  return 2 ** bits;
}
