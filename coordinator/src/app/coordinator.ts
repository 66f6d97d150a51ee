import { join } from 'node:path';
import { canonicalJsonBytes, fromHex, utf8 } from '@regulon/shared/crypto';
import { rosterHashOf } from '@regulon/shared/plan';
import type { RosterView } from '@regulon/shared/secagg';
import { type Logger, pino } from 'pino';
import { startApi } from '../api/index.js';
import { type Aggregator, WorkerAggregator } from '../aggregation/index.js';
import { auditMigrations, Sequencer } from '../audit/index.js';
import type { Settings } from '../config/index.js';
import { CoordinatorGateway, RoundQueries } from '../gateway/index.js';
import { EventLoopMonitor, Metrics } from '../metrics/index.js';
import { type Clock, type Services, systemClock } from '../rounds/index.js';
import { LogIntake, RunsService, RunViews } from '../runs/index.js';
import { Leases, Presence, RunUploadBook } from '../sites/index.js';
import { coordinatorMigrations, FileBlobs, RoundRows, RunRows, Store, UploadRows } from '../storage/index.js';
import {
  assertFreeSpace,
  BoxKeys,
  recoverSpool,
  SpoolUploads,
  startBulkServer,
  startControlServer,
} from '../transport/index.js';
import { CheckpointPublisher } from './checkpoint-publisher.js';
import { crashPointOf } from './crash-point.js';

/** Ports of a coordinator that is ready. */
export interface RunningCoordinator {
  readonly control: number;
  readonly bulk: number;
  readonly http: number;
  /** Stop at once; everything that counts is on disk. */
  close(): Promise<void>;
}

/** What tests replace. */
export interface Environment {
  readonly clock?: Clock;
  readonly aggregator?: Aggregator;
  readonly logger?: Logger;
  /** a failure that no state covers; by default the process ends with 5 */
  readonly fatal?: (error: unknown) => void;
}

/** Everything but the servers: opened, recovered, not yet going on. */
export type Core = Awaited<ReturnType<typeof openCore>>;

/**
 * Open the state folder and bring back what was under way.
 *
 * @throws E_STATE_LOCKED, E_STATE_DB, E_CONFIG
 */
export async function openCore(settings: Settings, environment: Environment = {}) {
  const { config, roster, keys } = settings;
  const clock = environment.clock ?? systemClock;
  const logger =
    environment.logger ??
    pino({ level: config.logLevel, base: { process: 'coordinator' } }, pino.destination(2));
  const end = environment.fatal ?? endProcess(logger);
  let isClosing = false;
  const fatal = (error: unknown): void => {
    if (!isClosing) end(error); // what fails because everything is being closed is no failure
  };
  const state = (name: string): string => join(config.stateFolder, name);
  const audit = auditMigrations.map((sql, i) => ({ name: `audit-${String(i + 1).padStart(4, '0')}`, sql }));
  const store = Store.open(state('coordinator.sqlite'), [...coordinatorMigrations, ...audit]);
  const genesis = {
    entry: settings.genesis,
    attachments: [canonicalJsonBytes(settings.signedRoster), utf8(settings.quorumPolicy)],
  };
  const sequencer = await Sequencer.open({
    db: store.raw,
    folder: state('log'),
    genesis,
    logSeed: keys.log,
    statementSeed: keys.statement,
  });
  await sequencer.checkpoint();
  const rosterView = viewOf(settings);
  const memberIds = roster.members.map((m) => m.id);
  const presence = new Presence(memberIds, clock, 1000 * config.rounds.departureSeconds);
  const publisher = new CheckpointPublisher(sequencer, presence, memberIds, clock, fatal);
  const [rounds, runRows, uploads] = [new RoundRows(store), new RunRows(store), new UploadRows(store)];
  const blobs = new FileBlobs(state('blobs'));
  const monitor = new EventLoopMonitor();
  const metrics = new Metrics({
    queueDepth: () => runRows.list().filter((r) => r.status === 'QUEUED').length,
    logSize: () => sequencer.size,
    eventLoopMaxMs: () => monitor.maxMs,
    spoolFreeBytes: () => blobs.freeBytes(),
  });
  const leases = new Leases(clock, config.rounds.leases, 1000 * config.rounds.leaseSeconds, () =>
    metrics.leaseLost(),
  );
  const crashPoint = crashPointOf(config.testing?.crashAt, config.stateFolder);
  const aggregator = environment.aggregator ?? new WorkerAggregator();
  const runsHolder: { service?: RunsService } = {};
  const runsService = (): RunsService => runsHolder.service as RunsService;
  const openRounds = () => [...runsService().live].flatMap((run) => run.round ?? []);
  const book = new RunUploadBook({
    ...{
      rounds,
      uploads,
      blobs,
      leases,
      roster: rosterView,
      statementSeed: keys.statement,
      logger,
      openRounds,
      crashPoint,
    },
    onBytes: (site, bytes) => metrics.uploaded(site, bytes),
  });
  const spoolFolder = state('spool');
  const spool = new SpoolUploads({ folder: spoolFolder, book, rows: uploads });
  const services: Services = {
    ...{
      store,
      rounds,
      uploads,
      blobs,
      aggregator,
      log: publisher,
      clock,
      logger,
      crashPoint,
      statementSeed: keys.statement,
      fatal,
    },
    spool: {
      pathOf: (key, site) => spool.pathOf(key, site),
      removeAttempt: (key) => spool.removeAttempt(key),
      assertFreeSpace: (bytes) => assertFreeSpace(config.stateFolder, bytes),
    },
    announce: (sites, notice) => presence.announce(sites, notice),
    onRoundClosed: (facts) => metrics.roundClosed(facts.seconds, facts.stageSeconds),
  };
  const listener = {
    agreementChanged: () => runsService().startQueued(),
    checkpointWanted: () => publisher.publishSoon(),
  };
  const intake = new LogIntake(sequencer, store, runRows, rounds, roster, () => listener);
  const boxKeys = BoxKeys.fromSeed(rosterHashOf(roster), keys.statement);
  const runs = new RunsService({
    ...{ services, runs: runRows, sequencer, intake, presence, roster, rosterView, config },
    onStart: () => boxKeys.rotate(),
  });
  runsHolder.service = runs;
  await runs.restore();
  const found = await recoverSpool({ folder: spoolFolder, book, rows: uploads });
  for (const row of found.lost) runs.uploadLost(row);
  if (found.quarantined.length > 0)
    logger.error({ files: found.quarantined }, 'unexplained files in the spool were set aside');
  const views = new RunViews({
    services,
    runs,
    rows: runRows,
    presence,
    sequencer,
    roster,
    eventLoopMaxMs: () => monitor.maxMs,
  });
  const queries = new RoundQueries({
    runs,
    runRows,
    rounds,
    blobs,
    spool,
    aggregator,
    sequencer,
    roster: rosterView,
  });
  const gateway = new CoordinatorGateway({
    ...{
      runs,
      intake,
      sequencer,
      presence,
      leases,
      spool,
      boxKeys,
      rosterHash: rosterView.rosterHash,
      queries,
    },
    now: () => clock.now(),
    isBusy: () => monitor.recentMs > 200,
  });
  const close = async (): Promise<void> => {
    isClosing = true;
    runs.close();
    presence.close();
    await publisher.close();
    monitor.stop();
    await aggregator.close();
    store.close();
  };
  return {
    store,
    sequencer,
    publisher,
    presence,
    runs,
    views,
    intake,
    gateway,
    boxKeys,
    metrics,
    monitor,
    logger,
    book,
    spool,
    rosterView,
    close,
  };
}

/**
 * Start a coordinator: state first, then its servers, then the runs that were under way.
 *
 * @throws E_ENVIRONMENT when a port is taken; E_TRANSPORT; what `openCore` throws
 */
export async function startCoordinator(
  settings: Settings,
  environment: Environment = {},
): Promise<RunningCoordinator> {
  const core = await openCore(settings, environment);
  const { config, tls, roster, bearerToken } = settings;
  const { host, controlPort, bulkPort, httpPort } = config.listen;
  const { runs, views, intake, sequencer, metrics, boxKeys, gateway, logger } = core;
  const members = roster.members.map((m) => ({ id: m.id, key: fromHex(m.key) }));
  const common = { boxKeys, members, tls, host };
  let ready = false;
  const notReady = (): string | null => (ready ? null : 'starting');
  const report = (error: unknown): void => logger.error({ err: error }, 'a request failed');
  const http = await startApi(
    { bearerToken, runs, views, intake, sequencer, metrics, notReady },
    httpPort,
    report,
  );
  const bulk = await startBulkServer({ ...common, uploads: gateway.uploads, port: bulkPort });
  const control = await startControlServer({ ...common, gateway, port: controlPort });
  core.monitor.start();
  runs.resume();
  ready = true;
  const close = async (): Promise<void> => {
    ready = false;
    await Promise.allSettled([control.close(), bulk.close(), http.close()]);
    await core.close();
  };
  return { control: control.port, bulk: bulk.port, http: http.port, close };
}

function viewOf({ roster }: Settings): RosterView {
  return {
    federationId: roster.federationId,
    rosterHash: rosterHashOf(roster),
    coordinatorKey: fromHex(roster.coordinatorKey),
    members: roster.members.map((m) => ({ id: m.id, key: fromHex(m.key) })),
    M: roster.members.length,
  };
}

/** State on disk is always consistent; what is in memory may not be: end, and let the next process read the disk. */
function endProcess(logger: Logger): (error: unknown) => void {
  return (error) => {
    logger.fatal({ err: error }, 'the coordinator ends; start it again');
    process.exit(5);
  };
}
