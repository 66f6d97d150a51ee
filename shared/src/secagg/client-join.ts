import { boxKeyPair, randomBytes, u32, type RandomSource } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import type { ClientState } from './client-state.js';
import { signTagged } from './hashing.js';
import { checkExpectation, checkManifest, type ManifestExpectation } from './manifest-checks.js';
import { ctxOf, verifyManifest, type Manifest, type SiteId } from './manifest.js';
import { samplerFor, type RingSamplers } from './ring-noise.js';
import type { RosterView } from './roster.js';

/** What a site brings to an attempt. */
export interface JoinInput {
  readonly manifest: Manifest;
  readonly coordinatorSignature: Uint8Array;
  readonly roster: RosterView;
  readonly id: SiteId;
  /** seed of the identity key, 32 bytes */
  readonly seed: Uint8Array;
  /** what the plan and the own records imply; compared when given */
  readonly expectation?: ManifestExpectation;
  /** contributors that count towards no minimum */
  readonly uncounted?: readonly SiteId[];
  /** the plan's own minimum of |U3| and of its contributors; raises uMin, never lowers it */
  readonly minSurvivors?: number;
  /** whether this site takes part in groups that have a sum of their own; by default it refuses them */
  readonly allowSubCohorts?: boolean;
  /** what this site draws noise with; without one it refuses a manifest that asks for noise in the ring */
  readonly samplers?: RingSamplers;
  readonly random?: RandomSource;
}

/**
 * State of a site that joins: the manifest is checked, the keys are fresh, R0 is signed.
 *
 * @throws E_SIG_MANIFEST, E_ROSTER, E_POLICY, E_RING_BOUND, E_REPLAY, E_MODEL, E_FORK
 */
export function newState(input: JoinInput): ClientState {
  const { manifest, coordinatorSignature, roster, id, seed, expectation, random = randomBytes } = input;
  verifyManifest(roster.coordinatorKey, manifest, coordinatorSignature);
  checkManifest(manifest, roster);
  if (!manifest.roles.some((role) => role.id === id))
    throw new RegulonError('E_ROSTER', `site ${id} has no role`);
  if (manifest.subCohort !== 0 && input.allowSubCohorts !== true)
    throw new RegulonError('E_POLICY', `round ${manifest.round}: this site allows no sub-cohorts`);
  samplerFor(manifest, input.samplers ?? new Map());
  if (expectation) checkExpectation(manifest, expectation);
  const { uncounted = [], minSurvivors = 0 } = input;
  if (!Number.isInteger(minSurvivors) || minSurvivors < 0 || minSurvivors > manifest.N)
    throw new RegulonError('E_POLICY', `${minSurvivors} survivors cannot be demanded of ${manifest.N} sites`);
  const [channel, mask, b, nonce] = [boxKeyPair(random), boxKeyPair(random), random(32), random(32)];
  const [cPk, sPk] = [channel.publicKey, mask.publicKey];
  const sig = signTagged(seed, ctxOf(manifest), 'R0', u32(id), cPk, sPk, nonce);
  const secrets = { cSk: channel.secretKey, sSk: mask.secretKey, b };
  const advertise = { id, cPk, sPk, nonce, sig };
  const known = { manifest, coordinatorSignature, id, uncounted, minSurvivors };
  return { ...known, secrets, advertise, receipt: false };
}
