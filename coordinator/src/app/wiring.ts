import { rosterHashOf } from '@regulon/shared/plan';
import { type Authority, SiteCertificates } from '../authority/index.js';
import type { Settings } from '../config/index.js';
import { CoordinatorGateway, RoundQueries } from '../gateway/index.js';
import { EventLoopMonitor, Metrics } from '../metrics/index.js';
import type { RoundDriver, Services } from '../rounds/index.js';
import { LogIntake, RunsService, RunViews } from '../runs/index.js';
import { Leases, Presence, RunUploadBook } from '../sites/index.js';
import { assertFreeSpace, BoxKeys, committedPath } from '../transport/index.js';
import { CheckpointPublisher } from './checkpoint-publisher.js';
import { crashPointOf } from './crash-point.js';
import type { Surroundings } from './environment.js';
import { membersOf } from './members.js';
import type { State } from './state.js';

/** A lease is refused while the event loop was blocked for longer than this. */
const BUSY_MS = 200;

/** What a coordinator is made from. */
export interface Given {
  readonly settings: Settings;
  readonly outside: Surroundings;
  readonly state: State;
}

/** Who is there, what is measured, and the log: what the rest stands on. */
export function baseOf({ settings, outside, state }: Given) {
  const { config, roster } = settings;
  const { clock } = outside;
  const ids = roster.members.map((m) => m.id);
  const presence = new Presence(ids, clock, 1000 * config.rounds.departureSeconds);
  const publisher = new CheckpointPublisher(
    ...([state.sequencer, presence, ids, clock, outside.fatal] as const),
    roster.policy.gateMode,
  );
  const monitor = new EventLoopMonitor();
  const metrics = new Metrics({
    queueDepth: () => state.runRows.countQueued(),
    logSize: () => state.sequencer.size,
    cosignaturesMissing: () => state.sequencer.cosignaturesMissing,
    eventLoopMaxMs: () => monitor.maxMs,
    spoolFreeBytes: () => state.blobs.freeBytes(),
  });
  const crashPoint = crashPointOf(config.testing?.crashAt, config.stateFolder);
  const boxKeys = BoxKeys.fromSeed(rosterHashOf(roster), settings.keys.statement);
  return { presence, publisher, monitor, metrics, crashPoint, boxKeys };
}
type Base = ReturnType<typeof baseOf>;

/** Where masked vectors arrive. @param openRounds rounds under way; asked only after the runs exist */
export function uploadsOf(
  { settings, outside, state }: Given,
  { metrics, monitor, crashPoint, boxKeys }: Base,
  openRounds: () => RoundDriver[],
) {
  const { rounds: config, listen } = settings.config;
  const { clock, logger } = outside;
  const { rounds, uploads, blobs, rosterView, spoolFolder } = state;
  const onLost = (): void => metrics.leaseLost();
  const leases = new Leases(clock, config.leases, 1000 * config.leaseSeconds, onLost);
  const book = new RunUploadBook({
    ...{ rounds, uploads, blobs, leases, logger, openRounds, crashPoint },
    ...{ roster: rosterView, statementSeed: settings.keys.statement },
    onBytes: (site, bytes) => metrics.uploaded(site, bytes),
  });
  const context = { folder: spoolFolder, book, rows: uploads };
  const bulk = outside.newBulk({
    ...{ ...context, boxKeys, members: membersOf(settings), tls: settings.tls },
    ...{ host: listen.host, port: listen.bulkPort },
    report: (trace) => logger.error({ trace }, 'a bulk request failed'),
  });
  monitor.add(bulk.loop);
  return { leases, context, bulk };
}
type Uploads = ReturnType<typeof uploadsOf>;

/** What the drivers of runs and rounds stand on. */
function servicesOf({ settings, outside, state }: Given, base: Base, { bulk, leases }: Uploads): Services {
  const { presence, publisher, metrics, crashPoint } = base;
  const { clock, logger, aggregator, fatal } = outside;
  const { store, rounds, uploads, blobs } = state;
  return {
    ...{ store, rounds, uploads, blobs, aggregator, clock, logger, crashPoint, fatal },
    log: publisher,
    statementSeed: settings.keys.statement,
    spool: {
      pathOf: (key, site) => committedPath(state.spoolFolder, { ...key, site }),
      removeAttempt: (key) => bulk.removeAttempt(key),
      assertFreeSpace: (bytes) => assertFreeSpace(settings.config.stateFolder, bytes),
    },
    releaseLeases: (uploadIds) => uploadIds.forEach((id) => leases.release(id)),
    announce: (sites, notice) => presence.announce(sites, notice),
    onRoundClosed: (facts) => metrics.roundClosed(facts.seconds, facts.stageSeconds),
  };
}

/** The life cycle of runs, and what takes part in it from outside. */
export function runsOf(given: Given, base: Base, uploads: Uploads) {
  const { settings, state } = given;
  const { config, roster } = settings;
  const { presence, publisher, monitor, boxKeys } = base;
  const { sequencer, runRows, rounds, rosterView } = state;
  const services = servicesOf(given, base, uploads);
  const intake = new LogIntake(sequencer, runRows, rounds, roster, {
    agreementChanged: () => runs.startQueued(),
    withdrawn: () => runs.endTakenBack(),
    checkpointWanted: () => publisher.publishSoon(),
  });
  const runs: RunsService = new RunsService({
    ...{ services, runs: runRows, sequencer, intake, presence, roster, rosterView, config },
    onStart: () => boxKeys.rotate(),
  });
  const eventLoopMaxMs = (): number => monitor.maxMs;
  const views = new RunViews({ services, runs, rows: runRows, presence, sequencer, roster, eventLoopMaxMs });
  return { runs, intake, views, spool: services.spool };
}
type Runs = ReturnType<typeof runsOf>;

/** The coordinator as its sites see it. */
export function gatewayOf(
  { settings, outside, state }: Given,
  { presence, publisher, monitor, boxKeys }: Base,
  { leases, bulk }: Uploads,
  { runs, intake, spool }: Runs,
  authority: Authority | undefined,
): CoordinatorGateway {
  const { sequencer, runRows, rounds, blobs, rosterView } = state;
  const { aggregator, clock } = outside;
  const queries = new RoundQueries({
    ...{ runs, runRows, rounds, blobs, spool, aggregator, sequencer },
    roster: rosterView,
  });
  return new CoordinatorGateway({
    ...{ runs, intake, sequencer, publisher, presence, leases, bulk, boxKeys, queries },
    certificates: new SiteCertificates(authority, settings.roster, () => clock.now()),
    rosterHash: rosterView.rosterHash,
    now: () => clock.now(),
    isBusy: () => monitor.recentMs > BUSY_MS,
  });
}
