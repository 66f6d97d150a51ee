import { equalBytes } from '@regulon/shared/crypto';
import { parseRunName } from '@regulon/shared/program';
import type { Roster } from '@regulon/shared/plan';
import { type ChainHead, digestBytes, type LogEntry, parseEntry } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import { isRelease, releaseAttachments, verifyRelease } from './releases.js';
import type { RoundRows, RunRows } from '../storage/index.js';
import { withdrawalsIn } from './consent.js';

/** What is told about an accepted entry. */
export interface IntakeListener {
  /** an approval, a policy or a dataset: a queued run may start */
  agreementChanged(): void;
  /** a steward took a dataset or the approval of a plan back: runs that use it end */
  withdrawn(): void;
  /** somebody waits for a checkpoint: a daemon over its start, a steward over a no */
  checkpointWanted(): void;
}

/** Takes entries of people and sites into the log, and keeps the rows that runs ask for. Repeating is harmless. */
export class LogIntake {
  constructor(
    private readonly sequencer: Sequencer,
    private readonly runs: RunRows,
    private readonly rounds: RoundRows,
    private readonly roster: Roster,
    private readonly listener: IntakeListener,
  ) {}

  /**
   * Append an entry from outside; a crash leaves the entry with its rows, or neither.
   *
   * A repetition changes no row: an older policy or commitment, sent again, does not replace the newer one.
   *
   * @param bytes attacker-controlled
   * @param beside writes further rows in the same transaction when the entry is new
   * @returns index of the entry, the same one on repetition
   * @throws E_LOG_ENTRY, E_LOG_EQUIVOCATION; E_RELEASE for a model that may not leave
   */
  async append(
    bytes: Uint8Array,
    attachments: readonly Uint8Array[] = [],
    beside?: (index: number) => void,
  ): Promise<{ index: number }> {
    const submitted = parseEntry(bytes);
    const resolve = isRelease(submitted)
      ? await releaseAttachments(this.sequencer, submitted, attachments)
      : undefined;
    const { index, entry, isNew } = await this.sequencer.append(bytes, attachments, (entry, index) => {
      if (resolve && isRelease(entry)) verifyRelease(this.sequencer, entry, resolve);
      this.note(entry, index);
      beside?.(index);
    });
    if (isNew) this.tell(entry);
    return { index };
  }

  /** The last entry of an actor, or undefined before its first. */
  headOf(type: string, id: string): ChainHead | undefined {
    return this.sequencer.headOf({ type, id });
  }

  private note(entry: LogEntry, index: number): void {
    const site = this.roster.members.find((m) => m.name === entry.actor.id)?.id;
    if (site === undefined) return;
    switch (entry.kind) {
      case 'policy.set':
        return this.runs.putPolicy(site, index);
      case 'dataset.commit':
        return this.noteDataset(entry, site, index);
      case 'plan.approve':
        return this.forQueued(entry.body.planHash, (run) => this.runs.approve(run, site, index));
      case 'dataset.withdraw':
        return this.runs.removeDataset(site, entry.body.dataset);
      case 'plan.reject':
      case 'plan.withdraw':
        return this.forQueued(entry.body.planHash, (run) => this.runs.removeApproval(run, site));
      case 'round.contribution':
      case 'round.unmask':
      case 'round.ack':
        return this.noteRound(entry, site, index);
      case 'federation.genesis':
      case 'member.join':
      case 'member.revoke':
      case 'key.rotate':
      case 'plan.propose':
      case 'run.start':
      case 'round.open':
      case 'round.aggregate':
      case 'round.abort':
      case 'round.reopen':
      case 'egress.receipt':
      case 'retention.delete':
      case 'run.finish':
      case 'model.release':
      case 'model.export':
      case 'policy.override':
      case 'role.grant':
      case 'role.revoke':
      case 'config.start':
      case 'config.change':
      case 'access.request':
      case 'admin.act':
      case 'witness.refusal':
      case 'fork.evidence':
      case 'log.baseline':
      case 'log.prune':
      case 'report.issued':
      case 'anchor':
        return;
    }
  }

  /** What was taken back stays so when it is committed to again; other data are other data. */
  private noteDataset(entry: LogEntry<'dataset.commit'>, site: number, index: number): void {
    const { dataset, panel, band } = entry.body;
    const taken = withdrawalsIn(this.sequencer);
    taken.take(entry);
    if (taken.isWithdrawn(entry.actor.id, dataset)) return;
    const isPublic = entry.body.public || entry.body.simulated ? 1 : 0;
    const values = {
      panel_digest: digestBytes(panel.digest),
      panel_size: panel.size,
      is_public: isPublic,
      band,
    };
    this.runs.putDataset({ site, name: dataset, entry_index: index, ...values });
  }

  private noteRound(
    entry: LogEntry<'round.contribution' | 'round.unmask' | 'round.ack'>,
    site: number,
    index: number,
  ): void {
    const runId = parseRunName(entry.run);
    if (!this.runs.get(runId)) return;
    const { round, attempt, kind } = entry;
    this.rounds.putRoundEntry({ runId, round, attempt }, kind, site, index);
  }

  /** Do something for every run of a plan that has not begun. */
  private forQueued(planHash: string, action: (runId: Uint8Array) => void): void {
    const hash = digestBytes(planHash);
    const runs = this.runs.withStatus(['QUEUED']).filter((run) => equalBytes(run.plan_hash, hash));
    runs.forEach((run) => action(run.run_id));
  }

  private tell(entry: LogEntry): void {
    const isNo =
      entry.kind === 'dataset.withdraw' || entry.kind === 'plan.withdraw' || entry.kind === 'plan.reject';
    if (isNo) this.listener.withdrawn();
    if (isNo || entry.kind === 'config.start') this.listener.checkpointWanted();
    if (entry.kind === 'policy.set' || entry.kind === 'dataset.commit' || entry.kind === 'plan.approve') {
      this.listener.agreementChanged();
    }
  }
}
