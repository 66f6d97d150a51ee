import { equalBytes, sha256, u16, u32 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyDealerProof } from './dealer-proof.js';
import { idList, tagHash } from './hashing.js';
import { contributorsOf } from './manifest-checks.js';
import type { Manifest, SiteId } from './manifest.js';
import type { RosterView } from './roster.js';

/** What the administrators sign to let a burnt round be answered once more. */
export interface Reopen {
  /** 16 bytes */
  readonly runId: Uint8Array;
  readonly round: number;
  /** the new attempt, the only one that this lifts rule 3 for */
  readonly attempt: number;
  /** 32 bytes each: of the burnt attempt, as the new one repeats it */
  readonly modelHash: Uint8Array;
  readonly planHash: Uint8Array;
  /** U3 ∩ contributors of the burnt attempt, less a proven dealer; ascending */
  readonly contributors: readonly SiteId[];
  /** `reopenEvidence`, 32 bytes */
  readonly evidence: Uint8Array;
}

/**
 * The evidence that a Reopen rests on, 32 bytes.
 *
 * @param h3 of the burnt attempt: its sites, their uploads, its manifest
 * @param proof encoded proof against a dealer; none when the same sites contribute again
 */
export function reopenEvidence(h3: Uint8Array, proof: Uint8Array = new Uint8Array()): Uint8Array {
  return sha256(h3, proof);
}

/** The 32 bytes that an administrator signs. @see secagg.md §5, rule 6 */
export function reopenDigest(r: Reopen): Uint8Array {
  return tagHash(
    'REOPEN',
    ...[r.runId, u32(r.round), u16(r.attempt), r.modelHash, r.planHash],
    ...idList(r.contributors),
    r.evidence,
  );
}

/** The attempt that was burnt: shares were asked for, and no sum came of it. */
export interface BurntAttempt {
  readonly manifest: Manifest;
  readonly roster: RosterView;
  readonly h3: Uint8Array;
  /** U3, ascending */
  readonly survivors: readonly SiteId[];
}

/**
 * Check what a Reopen says against the burnt attempt; the administrators' signatures are another question.
 *
 * @param proof encoded proof against a dealer, when one is left out
 * @throws E_POLICY if it is about another round, model or attempt, or rests on other evidence
 * @throws E_U3 if its contributors are not those of the burnt attempt, less a proven dealer
 * @throws E_MESSAGE, E_ROSTER, E_SIG_R1, E_SHARE if the proof does not hold
 */
export function verifyReopen(reopen: Reopen, proof: Uint8Array | undefined, burnt: BurntAttempt): void {
  const { manifest, roster, h3, survivors } = burnt;
  const refuse = (code: 'E_POLICY' | 'E_U3', why: string): never => {
    throw new RegulonError(code, `the Reopen of round ${manifest.round}: ${why}`);
  };
  if (manifest.subCohort !== 0) refuse('E_POLICY', 'a round with sub-cohorts is not reopened');
  if (!equalBytes(reopen.runId, manifest.runId) || reopen.round !== manifest.round)
    refuse('E_POLICY', 'it names another round');
  if (reopen.attempt <= manifest.attempt) refuse('E_POLICY', `attempt ${reopen.attempt} is not a new one`);
  if (!equalBytes(reopen.modelHash, manifest.modelHash) || !equalBytes(reopen.planHash, manifest.planHash))
    refuse('E_POLICY', 'it names another model or plan');
  if (!equalBytes(reopen.evidence, reopenEvidence(h3, proof)))
    refuse('E_POLICY', 'it rests on other evidence than the burnt attempt');
  const dealer = proof && verifyDealerProof(manifest, roster, proof);
  const contributors = contributorsOf(manifest);
  const released = survivors.filter((id) => contributors.has(id));
  const expected = released.filter((id) => id !== dealer);
  if (expected.join() !== reopen.contributors.join())
    refuse('E_U3', 'its contributors are not those of the burnt attempt, less a proven dealer');
}
