import { equalBytes } from '@regulon/shared/crypto';
import { parseRunName } from '@regulon/shared/program';
import type { Roster } from '@regulon/shared/plan';
import { type ChainHead, digestBytes, type LogEntry, parseEntry } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { RoundRows, RunRows } from '../storage/index.js';

/** What is told about an accepted entry. */
export interface IntakeListener {
  /** an approval, a policy or a dataset: a queued run may start */
  agreementChanged(): void;
  /** a steward took a dataset or the approval of a plan back: runs that use it end */
  withdrawn(entry: LogEntry<'dataset.withdraw' | 'plan.reject' | 'plan.withdraw'>): void;
  /** a daemon waits for a checkpoint that covers its start */
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
   * @throws E_LOG_ENTRY, E_LOG_EQUIVOCATION
   */
  async append(
    bytes: Uint8Array,
    attachments: readonly Uint8Array[] = [],
    beside?: (index: number) => void,
  ): Promise<{ index: number }> {
    const { index, entry, isNew } = await this.sequencer.append(bytes, attachments, (entry, index) => {
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
      case 'dataset.commit': {
        const { dataset, panel, band } = entry.body;
        if (this.isGone(entry.actor.id, dataset)) return;
        const isPublic = entry.body.public || entry.body.simulated ? 1 : 0;
        const values = {
          panel_digest: digestBytes(panel.digest),
          panel_size: panel.size,
          is_public: isPublic,
          band,
        };
        return this.runs.putDataset({ site, name: dataset, entry_index: index, ...values });
      }
      case 'plan.approve': {
        const planHash = digestBytes(entry.body.planHash);
        for (const run of this.runs.withStatus(['QUEUED'])) {
          if (equalBytes(run.plan_hash, planHash)) this.runs.approve(run.run_id, site, index);
        }
        return;
      }
      case 'dataset.withdraw':
        return this.runs.removeDataset(site, entry.body.dataset);
      case 'plan.reject':
      case 'plan.withdraw': {
        const planHash = digestBytes(entry.body.planHash);
        for (const run of this.runs.withStatus(['QUEUED'])) {
          if (equalBytes(run.plan_hash, planHash)) this.runs.removeApproval(run.run_id, site);
        }
        return;
      }
      case 'round.contribution':
      case 'round.unmask':
      case 'round.ack': {
        const runId = parseRunName(entry.run);
        if (!this.runs.get(runId)) return;
        return this.rounds.putRoundEntry(
          { runId, round: entry.round, attempt: entry.attempt },
          entry.kind,
          site,
          index,
        );
      }
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
      case 'retention.delete':
      case 'run.finish':
      case 'model.release':
      case 'model.export':
      case 'role.grant':
      case 'role.revoke':
      case 'config.start':
      case 'witness.refusal':
      case 'fork.evidence':
      case 'report.issued':
      case 'anchor':
        return;
    }
  }

  /** A dataset that was withdrawn for good stays so, whatever is committed to later. */
  private isGone(site: string, dataset: string): boolean {
    return this.sequencer.indexesOfKind('dataset.withdraw').some((index) => {
      const { kind, actor, body } = parseEntry(this.sequencer.entry(index));
      return (
        kind === 'dataset.withdraw' && actor.id === site && body.dataset === dataset && body.scope === 'all'
      );
    });
  }

  private tell(entry: LogEntry): void {
    if (entry.kind === 'dataset.withdraw' || entry.kind === 'plan.withdraw' || entry.kind === 'plan.reject')
      this.listener.withdrawn(entry);
    if (entry.kind === 'config.start') this.listener.checkpointWanted();
    if (entry.kind === 'policy.set' || entry.kind === 'dataset.commit' || entry.kind === 'plan.approve') {
      this.listener.agreementChanged();
    }
  }
}
