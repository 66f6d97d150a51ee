import { RegulonError } from '../errors/index.js';
import type { Manifest } from './manifest.js';
import type { RosterView } from './roster.js';
import { thresholds, type Thresholds } from './thresholds.js';

/**
 * Prove that the sum of N honest vectors cannot wrap.
 *
 * 32-bit ring: N·Q + 12·κ·z·Q < 2³¹; 64-bit ring: N·C·2^f < 2⁶³; every extra likewise. The weights, without
 * noise, of 255 sites fit either ring.
 *
 * @throws E_RING_BOUND naming the coordinate that could wrap
 * @throws E_POLICY if Q is no power of two, C no positive number, f outside 0..40, or an extra's range is empty
 */
export function ringBoundsHold(manifest: Manifest, roster: RosterView): void {
  const { N, Q, C, z, ringBits, fractionBits, extras } = manifest;
  const half = 2 ** (ringBits - 1);
  if (!(C > 0) || !Number.isFinite(C)) throw policy(manifest, 'C is no positive number');
  if (Q < 1 || Math.log2(Q) % 1 !== 0) throw policy(manifest, 'Q is no power of two');
  if (fractionBits > 40) throw policy(manifest, 'more than 40 fraction bits');
  if (!(z >= 0) || !Number.isFinite(z)) throw policy(manifest, 'z is no number');
  const noisy = manifest.mechanism === 0 ? N : N + 12 * kappa(manifest, roster) * z;
  const vector = ringBits === 32 ? noisy * Q : N * C * 2 ** fractionBits;
  if (!(vector < half)) throw wraps(manifest, 'the vector');
  for (const { name, scale, min, max } of extras) {
    if (!(min <= max) || !Number.isFinite(min) || !Number.isFinite(max) || scale < 1) {
      throw policy(manifest, `the extra ${name} has no range`);
    }
    if (!(noisy * Math.max(Math.abs(min), Math.abs(max)) * scale < half))
      throw wraps(manifest, `the extra ${name}`);
  }
}

/**
 * κ, with κ² the largest n/h over admissible n: how much the noise of all sites exceeds what the ledger counts. With
 * sub-cohorts the largest |G|/h of a group, times the number of groups, as their sums are added up.
 */
export function kappa(manifest: Manifest, roster: RosterView): number {
  const { N, nMin, gammaNum, gammaDen, quorumRule, subCohort } = manifest;
  const of = (n: number): Thresholds =>
    thresholds({ N, M: roster.M, n, gammaNum, gammaDen, strict: quorumRule === 0 });
  const [least, most] = subCohort === 0 ? [nMin, N] : [subCohort, Math.min(N, 2 * subCohort - 1)];
  let largest = 1;
  for (let n = least; n <= most; n++) {
    const { h, quorum } = of(n);
    if (subCohort > 0 || n >= quorum) largest = Math.max(largest, n / h);
  }
  return Math.sqrt(largest * (subCohort === 0 ? 1 : Math.floor(N / subCohort)));
}

function policy(manifest: Manifest, why: string): RegulonError {
  return new RegulonError('E_POLICY', `the manifest of round ${manifest.round}: ${why}`);
}

function wraps(manifest: Manifest, what: string): RegulonError {
  return new RegulonError(
    'E_RING_BOUND',
    `round ${manifest.round}: ${what} of ${manifest.N} sites could exceed the ${manifest.ringBits}-bit ring`,
  );
}
