import { enc, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { ownedBlocks, Purpose, type ScheduledRound, thinBlock } from '@regulon/shared/program';
import {
  contributorsOf,
  encodeMessage,
  hashOfAnswer,
  type Manifest,
  thresholdsOf,
  type UnmaskAnswer,
} from '@regulon/shared/secagg';
import { attachmentOf, digestText, MediaType } from '@regulon/shared/transparency';
import { verifyCohort } from '../../policy/index.js';
import type { AttemptFacts, ReleasedSum } from '../../state/index.js';
import { verifyUnitSets } from '../../unit-sets/index.js';
import type { SiteContext } from '../context.js';
import type { RunSession } from '../run/run-session.js';

/** Where a sum is released: the run at this site, its round, and the manifest of the attempt. */
export interface ReleasePlace {
  readonly session: RunSession;
  readonly round: ScheduledRound;
  readonly manifest: Manifest;
  /** u1: |U1| */
  readonly opened: Pick<AttemptFacts, 'u1'>;
  /** contributors of the one attempt for which the administrators reopened a burnt round; absent in all others */
  readonly reopenedFor?: readonly number[] | undefined;
}

/** What tells the sum of a round from every other one; rule 3 lets it be released once. */
export function sumOf({ session, round, manifest }: Omit<ReleasePlace, 'opened'>): ReleasedSum {
  return {
    ...{ run: session.run, round: round.round, arm: round.arm },
    ...{ purpose: round.purpose, stepId: round.stepId },
    ...{ modelHash: hex(manifest.modelHash), planHash: hex(manifest.planHash) },
    relaxed: session.agreement.contract.isPublic,
  };
}

/**
 * The cohort rule, enough owners of every block that only some sites train, and after a Reopen its exact contributors.
 *
 * @param survivors U3
 * @throws E_U3 when the difference to an earlier sum would tell too much, when a block is summed over too few owners, or
 *   others contribute than were reopened for
 * @throws E_POLICY when its units differ by 1 to 4 patients from those of a sum released meanwhile
 */
export function verifyRelease(place: ReleasePlace, survivors: readonly number[]): void {
  const { session, round, manifest, reopenedFor } = place;
  const { site, run, agreement } = session;
  const contributors = contributorsOf(manifest);
  const cohort = survivors.filter((id) => contributors.has(id)).sort((a, b) => a - b);
  if (reopenedFor && reopenedFor.join() !== cohort.join())
    throw new RegulonError(
      'E_U3',
      `round ${round.round}: the survivors are not those for which the administrators reopened it`,
    );
  verifyOwners(place, cohort);
  const modelHash = hex(manifest.modelHash);
  const release = { contract: agreement.contract, run, round, cohort, modelHash };
  verifyCohort(release, site.answered.exact(), site.site.policy.stableCohort);
  if (!agreement.contract.isPublic) verifyUnits(site, run);
}

/** The rule of unit sets once more: another run may have been answered since this one began. */
function verifyUnits({ unitSets }: SiteContext, run: string): void {
  const own = unitSets.find(run);
  if (!own) throw new RegulonError('E_STATE', `the units behind ${run} are not known at this site`);
  verifyUnitSets(own, unitSets.answered(run));
}

/** @param cohort U3 ∩ contributors @throws E_U3 naming the block that is summed over too few owners */
function verifyOwners({ session, round, manifest, opened }: ReleasePlace, cohort: readonly number[]): void {
  if (round.purpose !== Purpose.train) return;
  const { site, agreement } = session;
  const { contract } = agreement;
  const { uMin } = thresholdsOf(manifest, site.federation.rosterView, opened.u1 ?? manifest.N);
  const least = Math.max(uMin, contract.plan.deadlines.minSurvivors ?? 0);
  const thin = thinBlock(ownedBlocks(contract), cohort, least);
  if (thin)
    throw new RegulonError(
      'E_U3',
      `round ${round.round}: block ${thin.name} would be summed over ${thin.left} of its owners, ${least} are needed`,
    );
}

/** An answer of R4 with what it answers. */
export interface GivenAnswer {
  readonly ctx: Uint8Array;
  readonly h3: Uint8Array;
  readonly answer: UnmaskAnswer;
  /** encoded σ3 of the sites that confirmed the survivors */
  readonly signatures: readonly Uint8Array[];
}

/**
 * Write down that this site answers, and the entry that says so. MUST run in the transaction that makes R4 durable.
 *
 * @throws E_STATE, E_REPLAY when rule 3 forbids the answer
 * @throws E_U3 when the cohort rule does: another sum may have been released since R3
 */
export function recordAnswer(place: ReleasePlace, { ctx, h3, answer, signatures }: GivenAnswer): void {
  const { session, round, manifest } = place;
  const { site, agreement } = session;
  const { attempt } = manifest;
  const about = (kind: 0 | 1): number[] => answer.entries.filter((e) => e.kind === kind).map((e) => e.about);
  const [u3, dropped] = [about(0), about(1)];
  verifyRelease(place, u3);
  const contributors = contributorsOf(manifest);
  const cohort = u3.filter((id) => contributors.has(id));
  const row = {
    ...sumOf(place),
    ...{ attempt, iteration: round.iteration, h3, answer: encodeMessage('answer', answer) },
    ...{ cohort, reopened: place.reopenedFor !== undefined },
  };
  site.answered.insert(row, site.site.policy.leaveSiteOut === 'exact' && agreement.contract.isPublic);
  site.outbox.append(
    'round.unmask',
    { run: session.run, round: round.round, attempt },
    {
      ...{ context: digestText(ctx), consistency: digestText(h3) },
      ...{ survivors: u3, dropped, selfMask: u3, maskKey: dropped },
      answer: digestText(hashOfAnswer(ctx, h3, answer.entries)),
      signatures: attachmentOf(enc(...signatures), MediaType.consistencySignatures),
    },
  );
}
