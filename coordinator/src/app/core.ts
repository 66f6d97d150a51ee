import { rosterHashOf } from '@regulon/shared/plan';
import type { Settings } from '../config/index.js';
import { CoordinatorGateway, RoundQueries } from '../gateway/index.js';
import { EventLoopMonitor, Metrics } from '../metrics/index.js';
import type { RoundDriver, Services } from '../rounds/index.js';
import { LogIntake, RunsService, RunViews } from '../runs/index.js';
import { Leases, Presence, RunUploadBook } from '../sites/index.js';
import { assertFreeSpace, BoxKeys, recoverSpool, SpoolUploads } from '../transport/index.js';
import { CheckpointPublisher } from './checkpoint-publisher.js';
import { crashPointOf } from './crash-point.js';
import { type Environment, Surroundings } from './environment.js';
import { openState, type State } from './state.js';

/** A lease is refused while the event loop was blocked for longer than this. */
const BUSY_MS = 200;

/** Everything but the servers: opened, recovered, not yet going on. */
export type Core = Awaited<ReturnType<typeof openCore>>;

/**
 * Open the state folder and bring back what was under way.
 *
 * @throws E_STATE_LOCKED, E_STATE_DB, E_CONFIG
 */
export async function openCore(settings: Settings, environment: Environment = {}) {
  const { config, roster, keys } = settings;
  const outside = new Surroundings(config, environment);
  const { clock, logger, aggregator } = outside;
  const state = await openState(settings);
  const { store, sequencer, rounds, runRows, uploads, blobs, spoolFolder, rosterView } = state;
  const presence = new Presence(
    roster.members.map((m) => m.id),
    clock,
    1000 * config.rounds.departureSeconds,
  );
  const publisher = new CheckpointPublisher(
    sequencer,
    presence,
    roster.members.map((m) => m.id),
    clock,
    outside.fatal,
  );
  const monitor = new EventLoopMonitor();
  const metrics = metricsOf(state, monitor);
  const leases = new Leases(clock, config.rounds.leases, 1000 * config.rounds.leaseSeconds, () =>
    metrics.leaseLost(),
  );
  const crashPoint = crashPointOf(config.testing?.crashAt, config.stateFolder);
  // the book is asked about rounds only after the runs below exist
  const live: { runs?: RunsService } = {};
  const openRounds = (): RoundDriver[] => [...(live.runs?.live ?? [])].flatMap((run) => run.round ?? []);
  const book = new RunUploadBook({
    ...{ rounds, uploads, blobs, leases, logger, openRounds, crashPoint },
    ...{ roster: rosterView, statementSeed: keys.statement },
    onBytes: (site, bytes) => metrics.uploaded(site, bytes),
  });
  const spool = new SpoolUploads({ folder: spoolFolder, book, rows: uploads });
  const services: Services = {
    ...{ store, rounds, uploads, blobs, aggregator, clock, logger, crashPoint },
    ...{ log: publisher, statementSeed: keys.statement, fatal: outside.fatal },
    spool: {
      pathOf: (key, site) => spool.pathOf(key, site),
      removeAttempt: (key) => spool.removeAttempt(key),
      assertFreeSpace: (bytes) => assertFreeSpace(config.stateFolder, bytes),
    },
    announce: (sites, notice) => presence.announce(sites, notice),
    onRoundClosed: (facts) => metrics.roundClosed(facts.seconds, facts.stageSeconds),
  };
  const intake = new LogIntake(sequencer, runRows, rounds, roster, {
    agreementChanged: () => live.runs?.startQueued(),
    checkpointWanted: () => publisher.publishSoon(),
  });
  const boxKeys = BoxKeys.fromSeed(rosterHashOf(roster), keys.statement);
  const runs = new RunsService({
    ...{ services, runs: runRows, sequencer, intake, presence, roster, rosterView, config },
    onStart: () => boxKeys.rotate(),
  });
  live.runs = runs;
  await runs.restore();
  const found = await recoverSpool({ folder: spoolFolder, book, rows: uploads });
  found.lost.forEach((row) => runs.uploadLost(row));
  if (found.quarantined.length > 0)
    logger.error({ files: found.quarantined }, 'unexplained files in the spool were set aside');
  const eventLoopMaxMs = (): number => monitor.maxMs;
  const views = new RunViews({ services, runs, rows: runRows, presence, sequencer, roster, eventLoopMaxMs });
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
      queries,
      rosterHash: rosterView.rosterHash,
    },
    now: () => clock.now(),
    isBusy: () => monitor.recentMs > BUSY_MS,
  });
  const close = async (): Promise<void> => {
    outside.closing();
    runs.close();
    presence.close();
    await publisher.close();
    monitor.stop();
    await aggregator.close();
    store.close();
  };
  return { store, sequencer, runs, views, intake, gateway, boxKeys, metrics, monitor, logger, close };
}

function metricsOf({ runRows, sequencer, blobs }: State, monitor: EventLoopMonitor): Metrics {
  return new Metrics({
    queueDepth: () => runRows.countQueued(),
    logSize: () => sequencer.size,
    eventLoopMaxMs: () => monitor.maxMs,
    spoolFreeBytes: () => blobs.freeBytes(),
  });
}
