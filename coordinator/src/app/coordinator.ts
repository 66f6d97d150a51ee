import type { Logger } from 'pino';
import { traceOf } from '@regulon/shared/errors';
import { startApi } from '../api/index.js';
import {
  Authority,
  type OwnCertificate,
  OwnCertificateWatch,
  renewOwnCertificate,
} from '../authority/index.js';
import { configurationDigest, stateConfiguration } from '../audit/index.js';
import type { Settings } from '../config/index.js';
import { startControlServer } from '../transport/index.js';
import { openCore } from './core.js';
import { apiContextOf } from './api-context.js';
import type { Environment } from './environment.js';
import { formerMembersOf, membersOf } from './members.js';

/** Ports of a coordinator that is ready. */
export interface RunningCoordinator {
  readonly control: number;
  readonly bulk: number;
  readonly http: number;
  /** Stop at once; everything that counts is on disk. */
  close(): Promise<void>;
}

/**
 * Start a coordinator: state first, then its servers, then the runs that were under way.
 *
 * @throws E_ENVIRONMENT when a port is taken; E_CERTIFICATE when the authority's files cannot be used; E_TRANSPORT; what `openCore` throws; nothing stays open then
 */
export async function startCoordinator(
  given: Settings,
  environment: Environment = {},
): Promise<RunningCoordinator> {
  const { settings, issuer } = await withAuthority(given);
  const core = await openCore(settings, environment, issuer?.authority);
  const { config, tls, bearerToken } = settings;
  const { host, controlPort, httpPort } = config.listen;
  const { runs, boxKeys, gateway, logger } = core;
  const members = membersOf(settings);
  const former = formerMembersOf(settings, core.sequencer);
  let ready = false;
  const notReady = (): string | null => (ready ? null : 'starting');
  const report = (error: unknown): void => logger.error({ trace: traceOf(error) }, 'a request failed');
  const servers: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    ready = false;
    await Promise.allSettled(servers.map((server) => server.close()));
    await core.close();
  };
  try {
    stateConfiguration(core.sequencer, configurationDigest(config, settings.keys.statement));
    const http = await startApi(apiContextOf(core, bearerToken, notReady), httpPort, report);
    servers.push(http);
    const bulk = await core.bulk.listen();
    const options = { boxKeys, members, former, tls, host, report, gateway, port: controlPort };
    const control = await startControlServer(options);
    servers.push(control);
    if (issuer) servers.push(watchCertificate(issuer, [control, core.bulk], logger));
    core.monitor.start();
    runs.resume();
    ready = true;
    return { control: control.port, bulk, http: http.port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Who renews certificates, when the authority's key is at hand. */
interface Issuer {
  readonly authority: Authority;
  readonly own: OwnCertificate;
}

/** Renew the coordinator's certificate as long as it runs, and have its servers show it. */
function watchCertificate(
  issuer: Issuer,
  servers: readonly { useCertificate(cert: string): Promise<void> | void }[],
  logger: Logger,
): { close(): Promise<void> } {
  const use = async (cert: string): Promise<void> => {
    for (const server of servers) await server.useCertificate(cert);
  };
  const watch = new OwnCertificateWatch({ ...issuer, use, logger });
  watch.start();
  return { close: () => Promise.resolve(watch.stop()) };
}

/** With the authority's key at hand the coordinator's own certificate is renewed first. */
async function withAuthority(settings: Settings): Promise<{ settings: Settings; issuer?: Issuer }> {
  const { authority: held, tls, config } = settings;
  if (held === undefined) return { settings };
  const authority = await Authority.load(tls.ca, held.key, held.days);
  const own = { cert: tls.cert, key: tls.key, file: config.tls.cert };
  const cert = await renewOwnCertificate(authority, own, Date.now());
  return { settings: { ...settings, tls: { ...tls, cert } }, issuer: { authority, own: { ...own, cert } } };
}
