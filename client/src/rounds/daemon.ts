import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { type ErrorCode, explainError, RegulonError, traceOf } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import type { Notice } from '@regulon/shared/wire';
import { type DaemonConfig, readSitePolicy } from '../config/index.js';
import { loadSiteKeys, readKeyFile } from '../enrol/index.js';
import { loadFederation, type SiteView, verifyGateModeFits } from '../policy/index.js';
import { AnsweredTable, AttemptJournal, Ledger, Outbox, RunJournal, SiteState } from '../state/index.js';
import { CoordinatorConnection, type CoordinatorLink } from '../transport/index.js';
import { LogFollower, SignedGate } from '../witness/index.js';
import { CheckpointWatch } from './checkpoint-watch.js';
import type { SiteContext } from './context.js';
import { crashOnce, noCrash } from './crash-points.js';
import { isPassing } from './failures.js';
import { insist } from './insist.js';
import { namedError } from './named-error.js';
import { openSiteData } from './open-site-data.js';
import { DAEMON_VERSION, entrySealer } from './entries.js';
import { type StageNotice, tellRefusal } from './refusals.js';
import { RunDriver } from './run-driver.js';
import { statementsOf } from './statements.js';

const CONNECT_TRY_MS = 5_000;
/** What the first call may end with that waiting does not mend: this site is not known, or not understood. */
const REFUSED_AT_DOOR: ReadonlySet<ErrorCode> = new Set(['E_CERTIFICATE', 'E_ROSTER', 'E_VERSION']);

/** The daemon of one site: it keeps a connection, follows the runs one after the other, and stops gracefully. */
export class Daemon {
  private readonly drivers = new Map<string, RunDriver>();
  /** runs that this process has left, with what it refused them for, if it did */
  private readonly left = new Map<string, ErrorCode | undefined>();
  private active: Promise<void> = Promise.resolve();
  private stopping = false;
  private fail: (error: unknown) => void = () => undefined;
  private readonly checkpoints: CheckpointWatch;
  /** rejects when the daemon cannot go on: its state or the log is not to be trusted */
  readonly failure: Promise<never>;

  private constructor(
    private readonly site: SiteContext,
    private readonly startSeq: number,
  ) {
    this.failure = new Promise<never>((_, reject) => (this.fail = reject));
    this.failure.catch(() => undefined);
    this.checkpoints = new CheckpointWatch(
      (note) => this.follow(note),
      (error) => this.warn(error),
    );
  }

  /**
   * Check keys, federation, state and data, connect, and take up what was under way.
   *
   * @throws E_CONFIG, E_KEY_FILE, E_ROSTER, E_STATE_LOCKED, E_QUARANTINE, E_CERTIFICATE, and what the importers find
   */
  static async start(config: DaemonConfig, logger: Logger): Promise<Daemon> {
    const policy = readSitePolicy(config.policyFile);
    const keys = loadSiteKeys(config.stateFolder);
    const federation = loadFederation(config.federation, config.site, config.rosterHash, keys.identity);
    const { roster, own } = federation;
    const state = SiteState.open(config.stateFolder, {
      site: config.site,
      federationId: roster.federationId,
      rosterHash: config.rosterHash,
      identityKey: hex(publicKeyOf(keys.identity)),
    });
    const data = openSiteData(config.dataset, state.paths.runs);
    let link: CoordinatorLink | undefined;
    try {
      const described = await data.describe();
      await data.release();
      described.notes.forEach((note) => logger.info({ site: config.site }, note));
      const statement = statementsOf(policy, config.dataset, described, state.paths.anchor);
      const { panel, units, content } = described;
      const known = { panel, units, content, statement };
      const site: SiteView = { roster, own, policy, dataset: config.dataset, ...known };
      warnIfClosed(site, logger);
      link = connectionOf(config, own.id, federation.rosterView);
      const connection = link;
      const sealer = entrySealer(federation.keys, roster.federationId, config.site, keys.identity);
      const outbox = new Outbox(state, sealer);
      const log = new LogFollower(state, outbox, { ...federation, site: config.site }, async (from, to) => {
        const items = await connection.fetch({ type: 'logEntries', from, to });
        return items.map((item) => item.entry);
      });
      const tell = (error: RegulonError): void => logger.warn({ code: error.code }, explainError(error));
      await connect(link, log, tell);
      const nonce = hex(randomBytes(32));
      const body = { nonce, version: DAEMON_VERSION, software: null, configuration: null };
      const { seq } = outbox.append('config.start', {}, body);
      const drainOutbox = () =>
        outbox.drain(async (entry) => (await connection.exchange({ type: 'appendEntry', entry })).index);
      await insist(drainOutbox, { tell });
      const crashAt = config.testing?.crashAt;
      const context: SiteContext = {
        ...{ config, keys, federation, site, state, outbox, log, data, logger, drainOutbox },
        link: connection,
        runs: new RunJournal(state),
        attempts: new AttemptJournal(state),
        answered: new AnsweredTable(state),
        ledger: new Ledger(state),
        gate: new SignedGate(log, roster.policy.gateLag),
        crash: crashAt === undefined ? noCrash : crashOnce(crashAt, config.stateFolder),
        startIndex: () => outbox.at(seq)?.index ?? null,
      };
      const daemon = new Daemon(context, seq);
      daemon.listen();
      await insist(() => daemon.catchUp(), { tell });
      return daemon;
    } catch (error) {
      // whatever was opened: a connection that stays would keep the process, without a state, alive
      await link?.close();
      await data.forget();
      state.close();
      throw error;
    }
  }

  /** Finish the step under way, keep everything for the next start, let go of the state. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.checkpoints.stop();
    this.drivers.forEach((driver) => driver.stop());
    await this.active;
    await this.site.data.forget();
    await this.site.link.close();
    this.site.state.close();
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
        this.drivers.forEach((driver) => driver.reconnected());
      }
      lost = state === 'reconnecting';
    });
    link.onNotice((notice) => this.hear(notice));
  }

  private hear(notice: Notice): void {
    switch (notice.type) {
      case 'checkpoint':
        this.checkpoints.to(notice.note).catch((error: unknown) => this.judge(error));
        return;
      case 'stage': {
        const driver = this.driverOf(runName(notice.run));
        if (driver) driver.notice(notice);
        else if (notice.stage === 'r0') this.decline(notice);
        return;
      }
      case 'run': {
        const over =
          notice.state === 'finished' ? 'finished' : notice.state === 'aborted' ? 'failed' : undefined;
        if (over) this.known(runName(notice.run))?.ended(over);
        return;
      }
    }
  }

  /** An offer of a run that this site has left: the coordinator need not wait for it. */
  private decline(notice: StageNotice): void {
    if (this.stopping) return;
    const code = this.left.get(runName(notice.run)) ?? 'E_RUN_ABORTED';
    tellRefusal(this.site.link, notice, code).catch((error: unknown) => this.warn(error));
  }

  /** Move to a checkpoint; runs that ended while this site was away are left. */
  private async follow(note: string): Promise<void> {
    await this.site.log.follow(note);
    for (const run of this.site.runs.live()) {
      const status = this.site.log.finishOf(run)?.status;
      if (status) this.driverOf(run)?.ended(status.startsWith('COMPLETED') ? 'finished' : 'failed');
    }
  }

  /** After a reconnection: the checkpoint that was missed, and entries that wait. */
  private async catchUp(): Promise<void> {
    const { checkpointNote } = await this.site.link.connect();
    if (checkpointNote !== '') await this.checkpoints.to(checkpointNote);
    await this.site.drainOutbox();
  }

  /** The driver of a run that this site knows of: followed now, or begun before a restart. */
  private known(run: string): RunDriver | undefined {
    const begun = this.drivers.has(run) || this.site.runs.find(run)?.state === 'live';
    return begun ? this.driverOf(run) : undefined;
  }

  private driverOf(run: string): RunDriver | undefined {
    const state = this.site.runs.find(run)?.state ?? 'live';
    if (this.stopping || this.left.has(run) || state !== 'live') return undefined;
    const known = this.drivers.get(run);
    if (known) return known;
    const driver = new RunDriver(this.site, run);
    this.drivers.set(run, driver);
    // one run at a time: the next begins when this one has ended here
    this.active = this.active.then(() => this.attend(driver)).catch((error: unknown) => this.giveUp(error));
    return driver;
  }

  private async attend(driver: RunDriver): Promise<void> {
    const { logger } = this.site;
    logger.info({ run: driver.run }, 'run followed');
    const end = await driver.follow();
    this.drivers.delete(driver.run);
    if (end !== 'suspended') this.left.set(driver.run, driver.refusedFor);
    logger.info({ run: driver.run, end }, 'run left');
  }

  /** A checkpoint that cannot be followed: what the coordinator says or lacks is no finding; what this site finds is. */
  private judge(error: unknown): void {
    if (this.stopping) return;
    const named = namedError(error);
    if (named.retryable || isPassing(named)) return this.warn(named);
    this.giveUp(named);
  }

  /** The daemon ends; of a defect its log keeps where it arose. */
  private giveUp(error: unknown): void {
    const named = namedError(error);
    if (named.code === 'E_INTERNAL') this.site.logger.error({ trace: traceOf(named) }, explainError(named));
    this.fail(named);
  }

  private warn(error: unknown): void {
    if (!this.stopping) this.site.logger.warn({ start: this.startSeq }, explainError(namedError(error)));
  }
}

/** Connect, and follow the log to its newest checkpoint before anything is signed. */
async function connect(
  link: CoordinatorLink,
  log: LogFollower,
  tell: (error: RegulonError) => void,
): Promise<void> {
  const isFinal = ({ code }: RegulonError): boolean => REFUSED_AT_DOOR.has(code);
  const hello = () => link.connect({ timeoutMs: CONNECT_TRY_MS });
  const { checkpointNote } = await insist(hello, { tell, isFinal });
  if (checkpointNote !== '') await insist(() => log.follow(checkpointNote), { tell });
}

function connectionOf(
  config: DaemonConfig,
  site: number,
  roster: { coordinatorKey: Uint8Array; rosterHash: Uint8Array },
): CoordinatorLink {
  const { host, controlPort, bulkPort } = config.coordinator;
  return new CoordinatorConnection({
    ...{ host, controlPort, bulkPort: bulkPort ?? controlPort + 1, site },
    tls: { ca: readPem(config.tls.ca), cert: readPem(config.tls.cert), key: readKeyFile(config.tls.key) },
    ...{
      coordinatorKey: roster.coordinatorKey,
      rosterHash: roster.rosterHash,
      daemonVersion: DAEMON_VERSION,
    },
  });
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new RegulonError('E_CONFIG', `${path} cannot be read`, { cause });
  }
}

function warnIfClosed(site: SiteView, logger: Logger): void {
  try {
    verifyGateModeFits(site);
  } catch (error) {
    logger.warn(explainError(error));
  }
}
