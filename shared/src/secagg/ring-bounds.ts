import { RegulonError } from '../errors/index.js';
import { LEAST_LOCAL_SIGMA } from '../privacy/index.js';
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
 * @throws E_POLICY if Q is no power of two, C no positive number, f outside 0..40, an extra's range is empty, or a site
 * would add less noise than sums of discrete Gaussians need
 */
export function ringBoundsHold(manifest: Manifest, roster: RosterView): void {
  const { N, Q, C, z, ringBits, fractionBits, extras } = manifest;
  const half = 2 ** (ringBits - 1);
  if (!(C > 0) || !Number.isFinite(C)) throw policy(manifest, 'C is no positive number');
  if (Q < 1 || Math.log2(Q) % 1 !== 0) throw policy(manifest, 'Q is no power of two');
  if (fractionBits > 40) throw policy(manifest, 'more than 40 fraction bits');
  if (!(z >= 0) || !Number.isFinite(z)) throw policy(manifest, 'z is no number');
  if (manifest.mechanism !== 0 && leastLocalSigma(manifest, roster) < LEAST_LOCAL_SIGMA)
    throw policy(
      manifest,
      `the noise of one site is below ${LEAST_LOCAL_SIGMA} ring units: use a larger Q or z`,
    );
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

/** What of a manifest says how many sites a sum may have. */
type CohortTerms = Pick<Manifest, 'N' | 'nMin' | 'gammaNum' | 'gammaDen' | 'quorumRule' | 'subCohort'>;

/**
 * κ, with κ² the largest n/h over admissible n: how much the noise of all sites exceeds what the ledger counts. With
 * sub-cohorts the largest |G|/h of a group, times the number of groups, as their sums are added up.
 */
export function kappa(manifest: CohortTerms, roster: Pick<RosterView, 'M'>): number {
  const { N, subCohort } = manifest;
  const largest = Math.max(1, ...admissible(manifest, roster).map(({ n, h }) => n / h));
  return Math.sqrt(largest * (subCohort === 0 ? 1 : Math.floor(N / subCohort)));
}

/** Standard deviation that one site adds, in ring units, where the most honest sites share the noise. */
function leastLocalSigma(manifest: Manifest, roster: RosterView): number {
  const most = Math.max(1, ...admissible(manifest, roster).map(({ h }) => h));
  return (manifest.z * manifest.Q) / Math.sqrt(most);
}

/** Thresholds of every number of sites with which a round, or a group of it, may go on. */
function admissible(manifest: CohortTerms, roster: Pick<RosterView, 'M'>): Thresholds[] {
  const { N, nMin, gammaNum, gammaDen, quorumRule, subCohort } = manifest;
  const [least, most] = subCohort === 0 ? [nMin, N] : [subCohort, Math.min(N, 2 * subCohort - 1)];
  return Array.from({ length: Math.max(0, most - least + 1) }, (_, k) =>
    thresholds({ N, M: roster.M, n: least + k, gammaNum, gammaDen, strict: quorumRule === 0 }),
  ).filter(({ n, quorum }) => subCohort > 0 || n >= quorum);
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
