import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { Purpose } from '@regulon/shared/program';
import { ctxOf } from '@regulon/shared/secagg';
import { type BodyOf, digestText, type LogEntry } from '@regulon/shared/transparency';
import { Backoff } from '../../transport/index.js';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { keepEvidence } from './evidence.js';
import { consequenceOf, isPassing } from '../errors/failures.js';
import { type RoundAudit, auditRound } from './round-audit.js';
import { untilAborted } from '../attempt/until-aborted.js';

type Ack = Extract<LogEntry, { kind: 'round.ack' }>;
type Audited = BodyOf<'round.ack'>['audited'];

/** Between two tries; a coordinator that is away is asked again soon, one that refuses not too often. */
const usualPauses = { firstMs: 100, mostMs: 10_000 };

/**
 * The audits of a run's closed rounds, one after the other, beside what else the run does. Each ends with an
 * acknowledgement in the log; nothing masked leaves before all have ended.
 *
 * A site that was in a round audits it itself, and asks again as long as it takes: who could switch the audit off by
 * not answering could announce any sum. Only where it cannot (it was not in the round, or a later one has closed and
 * the uploads are gone) does it rely on the acknowledgements of the others.
 *
 * @see docs/protocol.md, The daemon's checks
 */
export class RunAudits {
  private readonly queue: AuditedRound[] = [];
  private work: Promise<void> = Promise.resolve();
  private failure: Error | undefined;
  /** why the audit under way has not ended yet */
  private problem: RegulonError | undefined;
  private seenTo = 0;
  private readonly life = new AbortController();

  constructor(
    private readonly place: AuditPlace,
    private readonly pauses = usualPauses,
  ) {}

  /** A round has closed and its sum was taken over. */
  add(round: AuditedRound): void {
    this.queue.push(round);
    this.work = this.work.then(() => this.next());
    this.work.catch((error: unknown) => (this.failure ??= error as Error));
  }

  /** @throws E_MODEL when this site has found a wrong sum, or another one says in the log that it has */
  verify(): void {
    if (this.failure) throw this.failure;
    this.verifyOthers();
  }

  /**
   * Wait until every closed round was audited.
   *
   * @param deadlineMs ms since the epoch
   * @throws E_MODEL when a sum is wrong, or was not opened to this site in time; E_GATE when the connection or the other
   * sites are to blame; the signal's reason
   */
  async settled(signal: AbortSignal, deadlineMs: number): Promise<void> {
    this.verify();
    const left = Math.min(Math.max(0, deadlineMs - Date.now()), 0x7fff_ffff);
    const late = AbortSignal.timeout(left);
    try {
      await untilAborted(this.work, AbortSignal.any([signal, late]));
    } catch (error) {
      signal.throwIfAborted();
      throw error === late.reason ? this.unsettled() : error;
    }
    this.verifyOthers();
  }

  /** The run has ended here, or the daemon stops: what has not ended is done again after a restart. */
  async stop(): Promise<void> {
    this.life.abort(new RegulonError('E_STATE', 'the run is not followed any more'));
    await this.work.catch(() => undefined);
  }

  private unsettled(): RegulonError {
    const round = this.queue[0]?.round.round ?? 0;
    const { problem: cause } = this;
    if (!cause || isRegulonError(cause, 'E_CONNECTION') || isRegulonError(cause, 'E_GATE')) {
      return new RegulonError('E_GATE', `round ${round}: its audit has not ended yet; nothing was sent`, {
        cause,
      });
    }
    return notOpened(round, cause);
  }

  private async next(): Promise<void> {
    const round = this.queue[0];
    if (!round) return;
    this.problem = undefined;
    await this.settle(round);
    this.queue.shift();
  }

  private async settle(round: AuditedRound): Promise<void> {
    const backoff = new Backoff(Math.random, this.pauses);
    for (let refused = false; ; await backoff.wait(this.life.signal)) {
      this.life.signal.throwIfAborted();
      const audit = await auditRound(this.place, round);
      this.life.signal.throwIfAborted();
      if (audit.result !== 'none') return this.conclude(round, audit);
      const { failure } = audit;
      if (failure && consequenceOf(failure) === 'stop') throw failure;
      const superseded = this.queue.length > 1;
      if (failure && !superseded) refused ||= consequenceOf(failure) !== 'retry';
      // refused while the uploads were there: what the others say now cannot make up for it
      else if (failure && refused) throw notOpened(round.round.round, failure);
      else if (await this.isConfirmed(round)) return this.acknowledge(round, none);
      this.tellOnce(round, failure);
    }
  }

  private async conclude(round: AuditedRound, audit: Exclude<RoundAudit, { result: 'none' }>): Promise<void> {
    const { result, tiles } = audit;
    if (result === 'differ') keepEvidence(this.place, round, audit.wrong);
    await this.acknowledge(round, { tiles: tiles.slice(0, 64), count: tiles.length, result });
    if (result === 'differ') throw audit.failure;
  }

  /** The others have derived the same and enough of them have audited it: a quorum with this site, more than collude. */
  private async isConfirmed({ round, attempt, modelOut }: AuditedRound): Promise<boolean> {
    const { contract } = this.place.agreement;
    const { quorum, c, N } = contract.thresholds;
    const { subCohort = 0 } = contract.plan.secureAggregation;
    // whatever the groups, more than c sites of each have agreed
    const least = round.purpose === Purpose.train && subCohort > 0 ? N - subCohort + c : c;
    const acks = await this.acksOf(round.round, attempt);
    const same = acks.filter(({ body }) => body.modelOut === digestText(modelOut));
    const names = (list: readonly Ack[]): number => new Set(list.map(({ actor }) => actor.id)).size;
    return (
      names(same) >= quorum - 1 && names(same.filter(({ body }) => body.audited.result === 'agree')) > least
    );
  }

  /** What the other members say of an attempt, each under its signature. */
  private async acksOf(round: number, attempt: number): Promise<Ack[]> {
    try {
      const entries = await this.place.site.log.roundEntries(this.place.run);
      return entries.filter((e): e is Ack => {
        return e.kind === 'round.ack' && e.round === round && e.attempt === attempt && this.isOther(e);
      });
    } catch (error) {
      this.problem = error instanceof RegulonError ? error : this.problem;
      return [];
    }
  }

  private isOther({ actor }: LogEntry): boolean {
    const { agreement, site } = this.place;
    const others = agreement.contract.sites.filter(({ id }) => id !== site.site.own.id);
    return actor.type === 'site' && others.some(({ name }) => name === actor.id);
  }

  /** What one site can prove stops every site. */
  private verifyOthers(): void {
    const { log } = this.place.site;
    for (const { index, entry } of log.entriesOf('round.ack', this.place.run, this.seenTo)) {
      if (entry.body.audited.result === 'differ' && this.isOther(entry)) {
        throw new RegulonError(
          'E_MODEL',
          `round ${entry.round}: site ${entry.actor.id} found that its sum is not that of the uploads`,
        );
      }
      this.seenTo = index + 1;
    }
  }

  /** Say in the log what this site derived from a closed round; once. */
  private async acknowledge(audited: AuditedRound, result: Audited): Promise<void> {
    const { site, run } = this.place;
    const { round, attempt, manifest, modelOut, own } = audited;
    const context = manifest ? digestText(ctxOf(manifest)) : await this.loggedContext(round.round);
    const { receipt } = own?.facts ?? {};
    site.outbox.append(
      'round.ack',
      { run, round: round.round, attempt },
      {
        ...{ context, modelOut: digestText(modelOut), audited: result },
        receipt: receipt === undefined ? null : Buffer.from(receipt, 'hex').toString('base64'),
      },
    );
    site.crash.reached('acked', round.round);
    try {
      await site.drainOutbox();
    } catch (error) {
      // the entry is durable: it leaves with the next one
      if (!isPassing(error)) throw error;
    }
  }

  /** Context of an attempt that this site did not see, once the log has its end. */
  private async loggedContext(round: number): Promise<string> {
    const { log } = this.place.site;
    const found = () => log.aggregateOf(this.place.run, round)?.context;
    await log.until(() => found() !== undefined, this.life.signal);
    return found() ?? '';
  }

  /** The first time only: a person may want to know why this site waits. */
  private tellOnce({ round }: AuditedRound, failure: RegulonError | undefined): void {
    const { site, run } = this.place;
    const why =
      failure ?? new RegulonError('E_GATE', 'this site was not in it, and too few others have audited it');
    if (this.problem?.code !== why.code) {
      site.logger[consequenceOf(why) === 'retry' ? 'info' : 'warn'](
        { run, round: round.round, code: why.code },
        `round ${round.round}: its sum is not audited yet; this site sends nothing of the next round before`,
      );
    }
    this.problem = why;
  }
}

const none: Audited = { tiles: [], count: 0, result: 'none' };

function notOpened(round: number, cause: RegulonError): RegulonError {
  return new RegulonError('E_MODEL', `round ${round}: the coordinator did not open its sum to this site`, {
    cause,
  });
}
