import { fromHex, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { parsePlan, type Plan, planBytes, planHashOf, type Roster } from '@regulon/shared/plan';
import { contractOf, runName } from '@regulon/shared/program';
import { digestText, parseEntry, refuseIdentifying } from '@regulon/shared/transparency';
import type { RunsContext } from './runs-context.js';

/** Proposed plans become queued runs. */
export class Proposals {
  constructor(private readonly on: RunsContext) {}

  /**
   * Take a proposed plan: entry and run are one transaction. The same entry gives the same run again.
   *
   * @param bytes plan.propose entry, sealed by the researcher; attacker-controlled
   * @param value the plan that the entry names by its hash; attacker-controlled
   * @param attachments what else the entry refers to
   * @returns name of the run and index of the entry
   * @throws E_PLAN, E_POLICY, E_COHORT when the plan cannot become a run
   * @throws E_LOG_ENTRY when the entry breaks a rule of the log or proposes another plan; nothing is logged
   * @throws E_LOG_EQUIVOCATION when the researcher signed another entry with this number
   */
  async take(
    bytes: Uint8Array,
    value: unknown,
    attachments: readonly Uint8Array[],
  ): Promise<{ run: string; index: number }> {
    const { roster, runs, intake } = this.on;
    const plan = parsePlan(value);
    refuseIdentifying('the plan', { title: plan.title, reference: plan.reference });
    verifyCohort(plan, roster);
    const entry = parseEntry(bytes);
    if (entry.kind !== 'plan.propose' || entry.body.planHash !== digestText(planHashOf(plan))) {
      throw new RegulonError('E_LOG_ENTRY', 'the entry does not propose this plan');
    }
    const insert = (at: number): void => void this.insert(plan, at);
    const { index } = await intake.append(bytes, [planBytes(plan), ...attachments], insert);
    // the entry may have come by another way before, without its plan
    const runId = runs.proposedBy(index)?.run_id ?? this.insert(plan, index);
    return { run: runName(runId), index };
  }

  /** @returns the id of the new run */
  private insert(plan: Plan, index: number): Uint8Array {
    const runId = this.newRunId();
    const now = this.on.services.clock.now();
    this.on.runs.insert({
      run_id: runId,
      name: plan.name,
      plan: JSON.stringify(plan),
      plan_hash: planHashOf(plan),
      propose_index: index,
      status: 'QUEUED',
      since_ms: now,
      created_ms: now,
    });
    return runId;
  }

  private newRunId(): Uint8Array {
    const { testing } = this.on.config;
    const injected = testing?.runId === undefined ? undefined : fromHex(testing.runId);
    return injected && !this.on.runs.get(injected) ? injected : randomBytes(16);
  }
}

/** Roster and thresholds are checked before anything is logged; the panel is not known yet. @throws E_PLAN, E_COHORT */
function verifyCohort(plan: Plan, roster: Roster): void {
  const panel = { digest: new Uint8Array(32), size: 1 };
  const { thresholds } = contractOf({ runId: new Uint8Array(16), plan, roster, panel, isPublic: false });
  const least = Math.max(
    thresholds.uMin,
    plan.deadlines.minSurvivors ?? 0,
    plan.secureAggregation.nMin,
    thresholds.quorum,
  );
  if (plan.sites.length < least) {
    throw new RegulonError(
      'E_COHORT',
      `plan: sites: ${plan.sites.length} sites, a releasable sum needs ${least}`,
    );
  }
}
