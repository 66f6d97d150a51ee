import type { Logger } from 'pino';
import { explainError, type RegulonError, traceOf } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import type { Notice } from '@regulon/shared/wire';
import type { DaemonConfig } from '../config/index.js';
import { helloOnTime } from './hello.js';
import { CertificateWatch } from '../certificates/index.js';
import { CheckpointWatch } from './checkpoint-watch.js';
import type { SiteContext } from './context.js';
import { consequenceOf, isPassing } from './errors/failures.js';
import { insist } from './errors/insist.js';
import { lastWord } from './last-word.js';
import { namedError } from '../errors/index.js';
import { type OpenSite, openSite, type SiteParts } from './open-site.js';
import { type StageNotice, tellRefusal } from './errors/refusals.js';
import { RunDriver } from './run/run-driver.js';
import { RunQueue } from './run/run-queue.js';
import type { Cosignature } from '../witness/index.js';
import type { StewardStatements } from './statements.js';

const DAY_MS = 86_400_000;
const LOOK_AT_AGE_MS = 3_600_000;
const LOOK_AT_CONSENT_MS = 1_000;

/** The daemon of one site: it keeps a connection, follows the runs one after the other, and stops gracefully. */
export class Daemon {
  private readonly site: SiteContext;
  private readonly runs: RunQueue;
  private readonly checkpoints: CheckpointWatch;
  private readonly certificate: CertificateWatch;
  private stopping = false;
  /** baselines that are being judged */
  private signing: Promise<void> | undefined;
  private ageTimer: NodeJS.Timeout | undefined;
  private consentTimer: NodeJS.Timeout | undefined;
  private fail: (error: unknown) => void = () => undefined;
  /** rejects when the daemon cannot go on: its state or the log is not to be trusted */
  readonly failure: Promise<never>;

  private constructor(private readonly opened: OpenSite) {
    this.site = opened.site;
    this.failure = new Promise<never>((_, reject) => (this.fail = reject));
    this.failure.catch(() => undefined);
    const giveUp = (error: unknown): void => this.giveUp(error);
    this.runs = new RunQueue(this.site, giveUp, (run) => new RunDriver(this.site, run));
    const { link, logger, config, federation, keys } = this.site;
    const { federationId } = federation.roster;
    const renewed = { tls: config.tls, site: config.site, federationId, identity: keys.identity };
    this.certificate = new CertificateWatch({ link, logger, renewed });
    this.checkpoints = new CheckpointWatch(
      (note) => this.follow(note),
      (error) => this.warn(error),
    );
  }

  /**
   * Open the site, listen, and take up what was under way.
   *
   * @throws what keeps the daemon from starting; then nothing stays open
   * @see openSite
   */
  static async start(config: DaemonConfig, logger: Logger, parts?: SiteParts): Promise<Daemon> {
    const daemon = new Daemon(await openSite(config, logger, parts));
    try {
      daemon.wipeOldSecrets();
      daemon.heedStewards();
      daemon.listen();
      daemon.certificate.start();
      await insist(() => daemon.catchUp(), { tell: (error) => daemon.warn(error) });
      return daemon;
    } catch (error) {
      // a connection that stays would keep the process, without a state, alive; closed first, it keeps no run waiting
      await daemon.site.link.close();
      await daemon.stop();
      throw error;
    }
  }

  /** What the steward of this site is asked to sign and post, for the policy and the data that are loaded. */
  get statements(): StewardStatements {
    return this.opened.statements;
  }

  /** Finish the step under way, keep everything for the next start, let go of the state. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.ageTimer);
    clearInterval(this.consentTimer);
    this.checkpoints.stop();
    this.certificate.stop();
    await this.runs.stop();
    await this.opened.close();
  }

  private listen(): void {
    const { link, logger } = this.site;
    let lost = false;
    link.onState((state) => {
      if (state === 'reconnecting' && !lost && !this.stopping)
        logger.warn('the coordinator is not reachable; reconnecting');
      if (state === 'connected' && lost) {
        logger.info('connected again');
        this.catchUp().catch((error: unknown) => this.judge(error));
        this.runs.forEach((driver) => driver.reconnected());
      }
      lost = state === 'reconnecting';
    });
    link.onNotice((notice) => this.hear(notice));
  }

  /** A coordinator that says nothing for ever does not keep the secrets of a round alive for ever. */
  private wipeOldSecrets(): void {
    const { attempts, config, logger } = this.site;
    const look = (): void => {
      const wiped = attempts.wipeBefore(Date.now() - config.secretMaxAgeDays * DAY_MS);
      if (wiped === 0) return;
      logger.warn(
        { attempts: wiped },
        'secrets of attempts that never ended were wiped because of their age',
      );
      this.runs.forEach((driver) => driver.dropWiped());
    };
    look();
    this.ageTimer = setInterval(look, LOOK_AT_AGE_MS).unref();
  }

  /** What a steward takes back stops what is under way within a second, whatever the coordinator does. */
  private heedStewards(): void {
    const look = (): void => this.runs.forEach((driver) => driver.lookAtConsent());
    this.consentTimer = setInterval(look, LOOK_AT_CONSENT_MS).unref();
  }

  private hear(notice: Notice): void {
    switch (notice.type) {
      case 'checkpoint':
        this.checkpoints.to(notice.note).catch((error: unknown) => this.judge(error));
        return;
      case 'stage': {
        const driver = this.runs.driverOf(runName(notice.run));
        if (driver) driver.notice(notice);
        else if (notice.stage === 'r0') this.decline(notice);
        return;
      }
      case 'run': {
        const over =
          notice.state === 'finished' ? 'finished' : notice.state === 'aborted' ? 'failed' : undefined;
        if (over) this.runs.known(runName(notice.run))?.ended(over);
        else if (notice.state === 'paused') this.runs.paused(runName(notice.run));
        return;
      }
    }
  }

  /** An offer of a run that this site does not follow: the coordinator need not wait for it. */
  private decline(notice: StageNotice): void {
    if (this.stopping) return;
    const code = this.runs.refusalOf(runName(notice.run));
    tellRefusal(this.site.link, notice, code).catch((error: unknown) => this.warn(namedError(error)));
  }

  /** Move to a checkpoint; runs that ended while this site was away are left. */
  private async follow(note: string): Promise<void> {
    const cosignature = await this.site.log.follow(note);
    if (cosignature) await this.cosign(cosignature);
    for (const run of this.site.runs.live()) {
      const status =
        this.site.log.finishOf(run)?.status ?? (this.site.log.endedUnseen(run) ? 'FAILED' : undefined);
      if (status) this.runs.driverOf(run)?.ended(status.startsWith('COMPLETED') ? 'finished' : 'failed');
    }
    this.signBaselines();
  }

  /** Beside everything else: a long log takes its time. What fails now is tried again with the next checkpoint. */
  private signBaselines(): void {
    const { baselines, drainOutbox } = this.site;
    this.signing ??= baselines
      .sign()
      .then((signed) => (signed > 0 ? drainOutbox() : undefined))
      .catch((error: unknown) => this.warn(namedError(error)))
      .finally(() => (this.signing = undefined));
  }

  /** What the network loses is sent again; what the coordinator does not want is its own loss, and keeps no other note waiting. */
  private async cosign(cosignature: Cosignature): Promise<void> {
    try {
      await this.site.link.exchange({ type: 'cosign', ...cosignature });
    } catch (error) {
      const named = namedError(error);
      if (consequenceOf(named) !== 'left-out') throw named;
      if (named.code === 'E_CLOCK') this.site.log.takeBackCosignature(cosignature.size);
      this.warn(named);
    }
  }

  /** After a reconnection: the checkpoint that was missed, and entries that wait. */
  private async catchUp(): Promise<void> {
    const { link, federation } = this.site;
    const { checkpointNote } = await helloOnTime(link, federation.keys.genesis);
    if (checkpointNote !== '') await this.checkpoints.to(checkpointNote);
    await this.site.drainOutbox();
  }

  /** A checkpoint that cannot be followed: what the coordinator says or lacks is no finding; what this site finds is. */
  private judge(error: unknown): void {
    if (this.stopping) return;
    const named = namedError(error);
    if (named.retryable || isPassing(named)) return this.warn(named);
    if (named.code !== 'E_FORK') return this.giveUp(named);
    void lastWord(() => this.site.drainOutbox()).then(() => this.giveUp(named));
  }

  /** The daemon ends; of a defect its log keeps where it arose. */
  private giveUp(error: unknown): void {
    const named = namedError(error);
    if (named.code === 'E_INTERNAL') this.site.logger.error({ trace: traceOf(named) }, explainError(named));
    this.fail(named);
  }

  private warn(error: RegulonError): void {
    if (!this.stopping) this.site.logger.warn({ code: error.code }, explainError(error));
  }
}
