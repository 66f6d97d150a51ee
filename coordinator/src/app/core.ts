import { Deeds } from '../audit/index.js';
import { AccountRows, Accounts, IdentityProvider, LogPeople } from '../auth/index.js';
import type { Authority } from '../authority/index.js';
import type { Settings } from '../config/index.js';
import type { RunsService } from '../runs/index.js';
import type { AttemptKey } from '../storage/index.js';
import { recoverSpool } from '../transport/index.js';
import { type Environment, Surroundings } from './environment.js';
import { openState } from './state.js';
import { baseOf, gatewayOf, runsOf, uploadsOf } from './wiring.js';

/** Everything but the servers: opened, recovered, not yet going on. */
export type Core = Awaited<ReturnType<typeof openCore>>;

/**
 * Open the state folder and bring back what was under way.
 *
 * @param authority that issues certificates to sites, when its key is here
 * @throws E_STATE_LOCKED, E_STATE_DB, E_CONFIG; nothing stays open then
 */
export async function openCore(settings: Settings, environment: Environment = {}, authority?: Authority) {
  const outside = new Surroundings(settings.config, environment);
  const state = await openState(settings);
  const given = { settings, outside, state };
  const base = baseOf(given);
  // the uploads are asked about rounds only after the runs below exist
  const live: { runs?: RunsService } = {};
  const uploads = uploadsOf(given, base, () =>
    [...(live.runs?.live ?? [])].flatMap((run) => run.round ?? []),
  );
  const runs = runsOf(given, base, uploads);
  live.runs = runs.runs;
  const gateway = gatewayOf(given, base, uploads, runs, authority);
  const { store, sequencer } = state;
  const { logger, aggregator } = outside;
  const { presence, publisher, monitor, metrics, boxKeys } = base;
  const { bulk } = uploads;
  const close = async (): Promise<void> => {
    outside.closing();
    runs.runs.close();
    presence.close();
    await publisher.close();
    await bulk.close();
    monitor.stop();
    await aggregator.close();
    store.close();
  };
  try {
    await runs.runs.restore();
    const isOver = (key: AttemptKey): boolean => (state.rounds.attempt(key)?.outcome ?? 'open') !== 'open';
    const found = await recoverSpool(uploads.context, isOver);
    found.lost.forEach((row) => runs.runs.uploadLost(row));
    if (found.quarantined.length > 0)
      logger.error({ files: found.quarantined }, 'unexplained files in the spool were set aside');
  } catch (error) {
    await close();
    throw error;
  }
  const deeds = new Deeds(store.raw, sequencer);
  const accounts = new Accounts(
    ...([new AccountRows(store), new LogPeople(store), settings.roster.federationId] as const),
    ({ role, id }, action, outcome) => {
      const who = { role: role ?? 'token-file', id } as const;
      if (outcome === 'done') deeds.write(who, action, id);
      else deeds.refused(who, action, id);
    },
  );
  const { oidc } = settings.config;
  const people = { accounts, provider: oidc && new IdentityProvider(oidc) };
  const log = { sequencer, publisher, logger, deeds };
  return { store, ...people, ...log, ...runs, gateway, bulk, boxKeys, metrics, monitor, close };
}
