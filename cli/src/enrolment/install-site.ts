import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonConfig, readDaemonConfig, readSitePolicy } from '@regulon/client/config';
import type { BackendChoice } from '@regulon/client/training';
import { keyPathsOf, readKeyFile } from '@regulon/client/enrol';
import { canonicalJson, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Roster, ROSTER_CHANGES, rosterHashOf } from '@regulon/shared/plan';
import { MAX_YAML_BYTES, parseYaml } from '@regulon/shared/yaml';
import { changeLines } from './change-lines.js';
import { daemonYaml } from './configs.js';
import { type FederationFile, verifyFederationFile } from './federation-file.js';
import { ownFacts } from './join-site.js';
import { keyPathIn, nextKeyOf, ROTATED_ROLES } from './key-rotation.js';
import { writePrivate, writePublic } from './public-files.js';
import { nextTlsKeyOf } from './renewal.js';
import { digestOfRoster } from './roster-change.js';
import { verifyContinues } from './sign-change.js';
import type { SiteFolder, SiteRecord } from './site-folder.js';

/** What the hospital decides when it installs a federation. */
export interface InstallOptions {
  /** YAML: the section `dataset` of the daemon's configuration; paths count from the site's folder */
  readonly datasetFile: string;
  /** policy of the site, YAML */
  readonly policyFile: string;
  readonly backend: BackendChoice;
}

/**
 * Check what the founder sent, and make the daemon's configuration from it; it pins the roster.
 *
 * @param now ms since the epoch
 * @throws E_ROSTER, E_CERTIFICATE, E_LOG_ENTRY when the file is not what this site expects; E_CONFIG when the
 * configuration would not hold; then nothing is changed
 */
export function installSite(
  folder: SiteFolder,
  file: FederationFile,
  options: InstallOptions,
  now: number,
): DaemonConfig {
  const record = folder.record();
  const own = ownFacts(record);
  const { roster } = verifyFederationFile(file, own, tlsKeysOf(folder), now);
  verifyContinues(file, record);
  readSitePolicy(options.policyFile);
  const hash = hex(rosterHashOf(roster));
  const setting = {
    name: own.site,
    dataset: readDataset(options.datasetFile),
    training: { backend: options.backend },
  };
  const home = { home: folder.root, federation: folder.federation };
  const config = tryConfig(folder, daemonYaml(home, file.coordinator, hash, setting));
  publishFederation(folder, file);
  installTls(folder, file.certificates[own.site] ?? '');
  copyFileSync(options.policyFile, folder.policyFile);
  renameSync(draftOf(folder), folder.config);
  writePrivate(folder.recordFile, { ...record, pinned: { version: roster.version, hash } });
  return config;
}

/** A roster that nobody at the site has read: of one that neither founded the federation nor installed it before. */
export function unreadRoster(
  folder: SiteFolder,
  { roster: founding, changes }: FederationFile,
): { readonly lines: readonly string[]; readonly digest: string } | undefined {
  const record = folder.record();
  if (record.founding !== null || record.pinned !== null) return undefined;
  const { roster, signatures } = changes.at(-1) ?? founding;
  const change = {
    schema: 'regulon.roster-change/1' as const,
    previous: null,
    roster,
    signatures,
    genesis: null,
  };
  return { lines: changeLines(change, record.invitation.site), digest: digestOfRoster(roster) };
}

/** Copies of the public files. */
function publishFederation(folder: SiteFolder, file: FederationFile): void {
  mkdirSync(folder.federation, { recursive: true, mode: 0o755 });
  const publish = (name: string, content: string | Uint8Array): void =>
    writePublic(join(folder.federation, name), content);
  publish('roster.json', canonicalJson(file.roster));
  if (file.changes.length > 0) publish(ROSTER_CHANGES, canonicalJson(file.changes));
  publish('genesis.json', Buffer.from(file.genesis, 'base64'));
  publish('quorum.policy', file.quorumPolicy);
  publish('ca.pem', file.authority);
}

const draftOf = (folder: SiteFolder): string => `${folder.config}.new`;

/** Write the configuration beside its place and read it as the daemon will. */
function tryConfig(folder: SiteFolder, text: string): DaemonConfig {
  const draft = draftOf(folder);
  writePublic(draft, text);
  try {
    return readDaemonConfig(draft);
  } catch (error) {
    rmSync(draft);
    throw error;
  }
}

/**
 * Install what the founder sent to a member later: a new certificate, and the roster that follows the one it has. The rest
 * of its configuration stays.
 *
 * @param now ms since the epoch
 * @returns the version of the roster that is pinned
 * @throws E_ARGUMENT before the first installation; E_ROSTER when the roster does not follow the one that is installed;
 * E_CERTIFICATE; then nothing is changed
 */
export function installUpdate(folder: SiteFolder, file: FederationFile, now: number): number {
  const record = folder.record();
  const own = ownFacts(record);
  if (record.pinned === null) {
    throw new RegulonError('E_ARGUMENT', `${own.site} has installed no federation yet`, {
      hint: 'name --dataset and --policy: the first installation writes the configuration of the daemon',
    });
  }
  const { roster } = verifyFederationFile(file, own, tlsKeysOf(folder), now);
  verifyContinues(file, record);
  const hash = hex(rosterHashOf(roster));
  if (hash !== record.pinned.hash) {
    const text = readFileSync(folder.config, 'utf8');
    tryConfig(folder, text.replace(/^rosterHash: .*$/m, `rosterHash: ${hash}`));
    publishFederation(folder, file);
    renameSync(draftOf(folder), folder.config);
    const keys = takeNewKeys(folder, record, roster);
    writePrivate(folder.recordFile, { ...record, ...keys, pinned: { version: roster.version, hash } });
  }
  installTls(folder, file.certificates[own.site] ?? '');
  return roster.version;
}

/**
 * Put keys into service that the roster lists now; the ones before them are gone. A person's key that lies elsewhere is
 * its holder's to exchange.
 *
 * @returns what the site remembers of its keys
 */
function takeNewKeys(folder: SiteFolder, record: SiteRecord, roster: Roster): Partial<SiteRecord> {
  const { site } = record.invitation;
  const member = roster.members.find(({ name }) => name === site);
  const listed: readonly string[] = [
    ...(member ? [member.key, member.cosignerKey, member.stewardKey] : []),
    ...roster.admins.filter((admin) => admin.member === member?.id).map((admin) => admin.key),
  ];
  const field = { site: 'identityKey', cosigner: 'cosignerKey', steward: 'stewardKey' } as const;
  let [keys, pending]: [Partial<SiteRecord>, SiteRecord['pending']] = [{}, record.pending];
  for (const role of ROTATED_ROLES) {
    const { [role]: taken, ...rest } = pending;
    if (taken === undefined || !listed.includes(taken)) continue;
    const path = keyPathIn(folder, site, role);
    if (existsSync(nextKeyOf(path))) renameSync(nextKeyOf(path), path);
    keys = { ...keys, [role === 'administrator' ? 'administratorKey' : field[role]]: taken };
    pending = rest;
  }
  return { ...keys, pending };
}

/** Write the certificate, and put the key that it is for into service. */
function installTls(folder: SiteFolder, certificate: string): void {
  writePublic(folder.certificate, certificate);
  const { publicKey } = new X509Certificate(certificate);
  const [, next] = tlsKeysOf(folder);
  if (next?.equals(publicKey.export({ format: 'der', type: 'spki' })))
    renameSync(nextTlsKeyOf(folder), keyPathsOf(folder.state).tls);
}

/** Public halves of the TLS key in service and of the one to come, if there is one; SPKI DER. */
function tlsKeysOf(folder: SiteFolder): Buffer[] {
  const paths = [keyPathsOf(folder.state).tls, nextTlsKeyOf(folder)].filter((path) => existsSync(path));
  return paths.map((path) => {
    const key = createPublicKey(createPrivateKey(readKeyFile(path)));
    return key.export({ format: 'der', type: 'spki' });
  });
}

/** The section is checked with the whole configuration. */
function readDataset(path: string): DaemonConfig['dataset'] {
  if (!existsSync(path) || statSync(path).size > MAX_YAML_BYTES)
    throw new RegulonError('E_CONFIG', `dataset ${path}: no such file, or larger than 1 MiB`);
  return parseYaml(readFileSync(path), `dataset ${path}`, 'E_CONFIG') as DaemonConfig['dataset'];
}
