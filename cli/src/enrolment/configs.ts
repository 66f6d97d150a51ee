import { join } from 'node:path';
import { stringify } from 'yaml';
import type { DaemonConfig } from '@regulon/client/config';

/** Addresses of a coordinator. */
export interface Addresses {
  readonly host: string;
  readonly controlPort: number;
  readonly bulkPort: number;
  readonly httpPort: number;
}

/** What only this site knows about its data and machine. */
export interface SiteSetting {
  readonly name: string;
  readonly dataset: DaemonConfig['dataset'];
  readonly training: Partial<DaemonConfig['training']>;
  /** further keys of the configuration, for crash tests and benchmarks */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** The configuration file of the coordinator. @param folder its own folder and the public one, absolute */
export function coordinatorYaml(
  folder: { readonly coordinator: string; readonly federation: string },
  at: Addresses,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const own = (name: string): string => join(folder.coordinator, name);
  return stringify({
    schema: 'regulon.coordinator/1',
    federation: folder.federation,
    stateFolder: own('state'),
    keys: { statement: own('statement.key'), log: own('log.key') },
    tls: { cert: own('tls.cert.pem'), key: own('tls.key.pem'), ca: join(folder.federation, 'ca.pem') },
    listen: { host: at.host, controlPort: at.controlPort, bulkPort: at.bulkPort, httpPort: at.httpPort },
    bearerTokenFile: own('token'),
    logLevel: 'info',
    ...more,
  });
}

/** The configuration file of a daemon. @param folder of the site, and the public one, absolute */
export function daemonYaml(
  folder: { readonly home: string; readonly federation: string },
  at: Pick<Addresses, 'host' | 'controlPort' | 'bulkPort'>,
  rosterHash: string,
  site: SiteSetting,
): string {
  const { home } = folder;
  return stringify({
    schema: 'regulon.daemon/1',
    site: site.name,
    stateFolder: join(home, 'state'),
    federation: folder.federation,
    rosterHash,
    coordinator: { host: at.host, controlPort: at.controlPort, bulkPort: at.bulkPort },
    tls: {
      cert: join(home, 'tls.cert.pem'),
      key: join(home, 'state', 'keys', 'tls.key.pem'),
      ca: join(folder.federation, 'ca.pem'),
    },
    policyFile: join(home, 'policy.yaml'),
    dataset: site.dataset,
    training: site.training,
    logLevel: 'info',
    ...site.more,
  });
}
