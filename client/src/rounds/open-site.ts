import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { type ErrorCode, explainError, isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { RosterView } from '@regulon/shared/secagg';
import { parseVkey } from '@regulon/shared/transparency';
import { type DaemonConfig, readSitePolicy } from '../config/index.js';
import { Objections } from '../consent/index.js';
import { loadSiteKeys, readKeyFile } from '../enrol/index.js';
import { exactSamplers } from '../privacy/index.js';
import { type Federation, loadFederation, type SiteView, verifyDataOpen } from '../policy/index.js';
import {
  AnsweredTable,
  AttemptJournal,
  type FormerPins,
  Ledger,
  Outbox,
  removeEndedRuns,
  RunJournal,
  SiteState,
  UnitSetTable,
} from '../state/index.js';
import { CoordinatorConnection, type CoordinatorLink } from '../transport/index.js';
import { DAEMON_VERSION } from '../version/index.js';
import { Baselines, Cosigner, LogFollower, LogGate, logSourceOf } from '../witness/index.js';
import type { SiteContext } from './context.js';
import { crashOnce, noCrash } from './crash-points.js';
import { entrySealer } from './attempt/entries.js';
import { insist } from './errors/insist.js';
import { resealWaiting } from './exchanged-key.js';
import { openSiteData } from '../datasets/index.js';
import { helloOnTime } from './hello.js';
import { lastWord } from './last-word.js';
import { appendStart, configurationDigest } from './start-entries.js';
import { saltOf, statementsOf, type StewardStatements } from './statements.js';

const CONNECT_TRY_MS = 5_000;
/** What the first call may end with that waiting does not mend: this site is not known, or not understood. */
const REFUSED_AT_DOOR: ReadonlySet<ErrorCode> = new Set(['E_CERTIFICATE', 'E_ROSTER', 'E_VERSION']);

/** What a daemon has beside its files; specs replace it. */
export interface SiteParts {
  readonly linkOf: (config: DaemonConfig, site: number, roster: RosterView) => CoordinatorLink;
  readonly dataOf: typeof openSiteData;
}

const realParts: SiteParts = { linkOf: connectionOf, dataOf: openSiteData };

/** A site that is connected, with the way to let everything go. */
export interface OpenSite {
  readonly site: SiteContext;
  /** what its steward is asked to sign and post */
  readonly statements: StewardStatements;
  readonly close: () => Promise<void>;
}

/**
 * Check keys, federation, state and data, connect, follow the log, and log the start.
 *
 * @throws E_CONFIG, E_KEY_FILE, E_ROSTER, E_STATE_LOCKED, E_QUARANTINE, E_CERTIFICATE, and what the importers find; then
 * nothing stays open
 */
export async function openSite(
  config: DaemonConfig,
  logger: Logger,
  parts: SiteParts = realParts,
): Promise<OpenSite> {
  const policy = readSitePolicy(config.policyFile);
  const keys = loadSiteKeys(config.stateFolder);
  const federation = loadFederation(config.federation, config.site, config.rosterHash, keys.identity);
  const { roster, own, rosterView } = federation;
  const state = SiteState.open(
    config.stateFolder,
    {
      site: config.site,
      federationId: roster.federationId,
      rosterHash: config.rosterHash,
      identityKey: hex(publicKeyOf(keys.identity)),
    },
    formerPinsOf(federation, config.site),
  );
  const runs = new RunJournal(state);
  removeEndedRuns(state.paths, runs.live());
  const data = parts.dataOf(config.dataset, state.paths.runs);
  const closers: (() => Promise<void>)[] = [() => data.forget()];
  const close = async (): Promise<void> => {
    for (const letGo of closers) await letGo();
    state.close();
  };
  try {
    const described = await data.describe();
    await data.release();
    described.notes.forEach((note) => logger.info(note));
    const statements = statementsOf(policy, config.dataset, described, state.paths.anchor);
    const { panel, units, content } = described;
    const known = { panel, units, content, statement: statements };
    const site: SiteView = {
      roster,
      own,
      policy,
      dataset: config.dataset,
      samplers: exactSamplers,
      ...known,
    };
    warnIfClosed(site, logger);
    const link = parts.linkOf(config, own.id, rosterView);
    closers.push(() => link.close());
    const sealer = entrySealer(federation.keys, roster.federationId, config.site, keys.identity);
    const outbox = new Outbox(state, sealer);
    const { gateMode, gateLag, gateMaxAgeSeconds } = federation.keys.genesis;
    const cosigner =
      gateMode === 'cosigned'
        ? new Cosigner(state, federation.keys, config.site, keys.cosigner, Date.now, federation.versions)
        : undefined;
    const source = logSourceOf(link);
    const log = new LogFollower(state, outbox, { ...federation, site: config.site }, source, cosigner);
    const tell = (error: RegulonError): void => logger.warn({ code: error.code }, explainError(error));
    const { skewSeconds } = federation.keys.genesis;
    const drainOutbox = () => outbox.drain((entry) => sendEntry(link, log, entry));
    await connect(link, log, skewSeconds, tell).catch(async (error: unknown) => {
      if (isRegulonError(error, 'E_FORK')) await lastWord(drainOutbox);
      throw error;
    });
    const resealed = await resealWaiting({ link, log, outbox, keys: federation.keys, tell });
    if (resealed > 0) logger.info({ entries: resealed }, 'entries that waited were signed under the new key');
    const configuration = configurationDigest(config, saltOf(state.paths.anchor));
    const { seq } = appendStart(state, outbox, { version: DAEMON_VERSION, configuration });
    await insist(drainOutbox, { tell });
    const crashAt = config.testing?.crashAt;
    const context: SiteContext = {
      ...{ config, keys, federation, site, state, outbox, link, log, data, runs, logger, drainOutbox },
      baselines: new Baselines(state, outbox, log, source.entries, federation.keys.genesis.retention),
      objections: objectionsOf(config, federation),
      attempts: new AttemptJournal(state),
      answered: new AnsweredTable(state),
      unitSets: new UnitSetTable(state),
      unitKey: saltOf(state.paths.anchor),
      ledger: new Ledger(state, { budget: policy.privacy, ...config.ledger }),
      gate: new LogGate(log, { mode: gateMode, gateLag, maxAgeSeconds: gateMaxAgeSeconds }),
      crash: crashAt === undefined ? noCrash : crashOnce(crashAt, config.stateFolder),
      startIndex: () => outbox.at(seq)?.index ?? null,
    };
    return { site: context, statements, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Send an entry of this site, what it refers to first. @returns the index that the coordinator claims */
async function sendEntry(link: CoordinatorLink, log: LogFollower, entry: Uint8Array): Promise<number> {
  for (const bytes of log.attachmentsOf(entry)) await link.exchange({ type: 'putAttachment', bytes });
  return (await link.exchange({ type: 'appendEntry', entry })).index;
}

/** What this site had pinned under the rosters before. */
function formerPinsOf({ formerRosters, versions }: Federation, site: string): FormerPins {
  const keys = versions.slice(0, -1).flatMap((version) => version.member(site)?.statement ?? []);
  return { rosterHash: formerRosters, identityKey: keys.map((key) => hex(parseVkey(key).publicKey)) };
}

/** What the steward has taken back, under any key that was theirs. */
export function objectionsOf(
  { stateFolder, site }: DaemonConfig,
  { roster, versions }: Federation,
): Objections {
  const keys = versions.flatMap((version) => version.member(site)?.steward ?? []);
  const by = { federationId: roster.federationId, site };
  return new Objections(
    stateFolder,
    by,
    keys.map((key) => parseVkey(key).publicKey),
  );
}

/** Connect, and follow the log to its newest checkpoint before anything is signed. */
async function connect(
  link: CoordinatorLink,
  log: LogFollower,
  skewSeconds: number,
  tell: (error: RegulonError) => void,
): Promise<void> {
  const isFinal = ({ code }: RegulonError): boolean => REFUSED_AT_DOOR.has(code);
  const hello = () => helloOnTime(link, { skewSeconds }, { timeoutMs: CONNECT_TRY_MS });
  const { checkpointNote } = await insist(hello, { tell, isFinal });
  if (checkpointNote !== '') await insist(() => log.follow(checkpointNote), { tell });
}

/** The connection of a site as its configuration says; it connects with its first call. @throws E_CERTIFICATE, E_KEY_FILE, E_CONFIG */
export function connectionOf(config: DaemonConfig, site: number, roster: RosterView): CoordinatorLink {
  const { host, controlPort, bulkPort } = config.coordinator;
  return new CoordinatorConnection({
    ...{ host, controlPort, bulkPort: bulkPort ?? controlPort + 1, site },
    tls: { ca: readPem(config.tls.ca), cert: readPem(config.tls.cert), key: readKeyFile(config.tls.key) },
    ...{ coordinatorKey: roster.coordinatorKey, rosterHash: roster.rosterHash },
    daemonVersion: DAEMON_VERSION,
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
    verifyDataOpen(site);
  } catch (error) {
    logger.warn(explainError(error));
  }
}
