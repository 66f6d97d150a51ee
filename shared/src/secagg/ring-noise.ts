import { RegulonError } from '../errors/index.js';
import type { Manifest } from './manifest.js';
import type { Thresholds } from './thresholds.js';

/** Mechanisms that add integer noise in the ring, by their number in the manifest. */
export const ringMechanisms = { 1: 'discrete-gaussian', 2: 'skellam' } as const;
/** Number of a mechanism. */
export type RingMechanism = keyof typeof ringMechanisms;

/**
 * Draws the integer noise of one mechanism. An implementation takes its randomness from the operating system's generator,
 * afresh on each call: an attempt that is repeated is noised, and charged, again.
 */
export interface RingSampler {
  /** as log entries name it, e.g. `discrete-gaussian/1` */
  readonly name: string;
  /** Add independent noise of this variance, in squared ring units, to every word; modulo 2³². */
  add(words: Int32Array, variance: number): void;
}

/** The samplers of a site by mechanism; a site joins no round of a mechanism that it has none for. */
export type RingSamplers = ReadonlyMap<RingMechanism, RingSampler>;

/**
 * Variance of the noise of one contributor, z²Q²/h in squared ring units: any releasable set holds h honest contributors,
 * so the noise of the sum has at least the standard deviation z·Q that is accounted for.
 *
 * @param limits of the attempt, or of the site's group of it, for the actual number of sites
 * @see secagg.md §9
 */
export function noiseVariance({ z, Q }: Pick<Manifest, 'z' | 'Q'>, { h }: Pick<Thresholds, 'h'>): number {
  return (z * Q) ** 2 / h;
}

/** What is wrong with the mechanism of a manifest, or undefined. */
export function wrongMechanism({ mechanism, z, ringBits, purpose }: Manifest): string | undefined {
  if (mechanism === 0) return z === 0 ? undefined : 'it has a z but no mechanism';
  if (ringBits !== 32 || purpose !== 0) return 'only training has noise in the ring';
  return z > 0 ? undefined : 'it has a mechanism without noise';
}

/** @throws E_POLICY when a manifest asks for noise that this site cannot draw */
export function samplerFor(
  { round, mechanism }: Pick<Manifest, 'round' | 'mechanism'>,
  samplers: RingSamplers,
): RingSampler | undefined {
  if (mechanism === 0) return undefined;
  const sampler = samplers.get(mechanism);
  if (sampler) return sampler;
  throw new RegulonError(
    'E_POLICY',
    `round ${round}: this site has no sampler for the mechanism ${ringMechanisms[mechanism]}`,
  );
}
