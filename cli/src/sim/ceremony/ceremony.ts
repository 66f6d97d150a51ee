import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EnrolmentRequest, verifyEnrolment } from '@regulon/client/enrol';
import { canonicalJson, hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Roster, rosterHashOf, type SignedRoster } from '@regulon/shared/plan';
import {
  assembleEntry,
  digestText,
  genesisOf,
  openEntry,
  signPayload,
  statementKeyName,
} from '@regulon/shared/transparency';
import { enrolmentRequest, entrySignature } from '../daemon-replies.js';
import { programs, runToEnd, softwareDigest } from '../programs.js';
import { Authority } from './authority.js';
import { type Addresses, coordinatorYaml, daemonYaml, type SiteSetting } from './configs.js';
import {
  createFolders,
  folderAt,
  type FederationFolder,
  writePublic,
  writeSecret,
  writeSeed,
} from './folder.js';
import { Person } from './person.js';
import { ADMINISTRATORS, ADMINISTRATORS_NEEDED, buildRoster, signRoster } from './roster.js';

/** What a ceremony is asked to found. */
export interface CeremonyOptions {
  /** root folder, empty or absent */
  readonly root: string;
  readonly federationId: string;
  readonly sites: readonly (SiteSetting & { readonly org: string; readonly policyFile: string })[];
  readonly policy: Pick<Roster['policy'], 'nMin' | 'gamma'>;
  readonly addresses: Addresses;
  /** further keys of the coordinator's configuration, for crash tests and benchmarks */
  readonly coordinator?: Readonly<Record<string, unknown>>;
}

/** A founded federation: everything that its processes and people need lies in files. */
export interface FoundedFederation {
  readonly id: string;
  readonly origin: string;
  readonly folder: FederationFolder;
  readonly addresses: Addresses;
  readonly roster: Roster;
  readonly coordinatorConfig: string;
  readonly token: string;
  readonly sites: readonly {
    readonly name: string;
    readonly id: number;
    readonly config: string;
    readonly policyFile: string;
  }[];
}

/**
 * The ceremony of a federation, with generated people but otherwise as hospitals do it: daemons make their keys and
 * certificate requests, administrators sign the roster, the authority issues certificates bound to the identity keys,
 * coordinator and sites sign the genesis of the log.
 *
 * @throws E_ROSTER when a request or a signature does not verify; E_ARGUMENT when the folder is in use
 */
export async function holdCeremony(options: CeremonyOptions): Promise<FoundedFederation> {
  const folder = folderAt(options.root);
  const names = options.sites.map((site) => site.name);
  createFolders(folder, names);
  const requests = await Promise.all(options.sites.map((site) => enrolmentOf(folder, site)));
  const people = makePeople(folder, names);
  const keys = coordinatorKeys(folder);
  const signed = signedRosterOf(options, requests, people, keys.statement);
  await issueCertificates(folder, signed.roster, requests, options.addresses);
  const origin = await foundLog(folder, signed, people, keys);
  return writeConfigs(options, folder, signed.roster, origin, keys.token);
}

interface People {
  readonly administrators: readonly Person[];
  readonly stewards: readonly Person[];
  readonly researcher: Person;
}

interface CoordinatorKeys {
  readonly statement: Uint8Array;
  readonly log: Uint8Array;
  readonly token: string;
}

/** A daemon makes its own keys; only public halves and the signed request come back. */
async function enrolmentOf(
  folder: FederationFolder,
  site: { name: string; org: string },
): Promise<EnrolmentRequest> {
  const state = join(folder.site(site.name), 'state');
  const args = ['init', '--folder', state, '--name', site.name, '--org', site.org];
  const request = await runToEnd(programs.daemon, args, enrolmentRequest);
  if (request.name !== site.name || !verifyEnrolment(request)) {
    throw new RegulonError('E_ROSTER', `the enrolment request of ${site.name} is not signed by its own key`);
  }
  return request;
}

function makePeople(folder: FederationFolder, sites: readonly string[]): People {
  return {
    administrators: Array.from({ length: ADMINISTRATORS }, (_, i) =>
      Person.create(folder.people, 'administrator', `admin-${i + 1}`),
    ),
    stewards: sites.map((name) => Person.create(folder.people, 'steward', name)),
    researcher: Person.create(folder.people, 'researcher', 'researcher-1'),
  };
}

function coordinatorKeys(folder: FederationFolder): CoordinatorKeys {
  const keys = { statement: randomBytes(32), log: randomBytes(32), token: hex(randomBytes(32)) };
  writeSeed(join(folder.coordinator, 'statement.key'), keys.statement);
  writeSeed(join(folder.coordinator, 'log.key'), keys.log);
  writeSecret(join(folder.coordinator, 'token'), `${keys.token}\n`);
  return keys;
}

function signedRosterOf(
  options: CeremonyOptions,
  requests: readonly EnrolmentRequest[],
  people: People,
  statementSeed: Uint8Array,
): SignedRoster {
  const members = requests.map((request, i) => ({
    name: request.name,
    org: request.org,
    statementKey: request.statementKey,
    cosignerKey: request.cosignerKey,
    stewardKey: hex(people.stewards[i]?.publicKey ?? new Uint8Array(0)),
    memberSignature: request.memberSignature,
  }));
  const roster = buildRoster({
    federationId: options.federationId,
    coordinatorKey: publicKeyOf(statementSeed),
    members,
    administrators: people.administrators,
    policy: options.policy,
    now: new Date(),
  });
  const signers = people.administrators.slice(0, ADMINISTRATORS_NEEDED);
  return signRoster(
    roster,
    signers.map((person) => ({ publicKey: person.publicKey, seed: person.named('').seed })),
  );
}

async function issueCertificates(
  folder: FederationFolder,
  roster: Roster,
  requests: readonly EnrolmentRequest[],
  addresses: Addresses,
): Promise<void> {
  const authority = await Authority.create(roster.federationId);
  writePublic(join(folder.federation, 'ca.pem'), authority.certificate);
  writeSecret(join(folder.authority, 'ca.key.pem'), await authority.privateKey());
  const server = await authority.issueServer({ dns: ['localhost'], ip: [addresses.host] });
  writePublic(join(folder.coordinator, 'tls.cert.pem'), server.certificate);
  writeSecret(join(folder.coordinator, 'tls.key.pem'), server.privateKey);
  for (const member of roster.members) {
    const request = requests.find((r) => r.name === member.name);
    const certificate = await authority.issueSite(request?.csrPem ?? '', {
      ...member,
      identityKey: member.key,
    });
    writePublic(join(folder.site(member.name), 'tls.cert.pem'), certificate);
  }
}

/** Write roster, quorum policy and the genesis, which the coordinator and every site sign. @returns the log's origin */
async function foundLog(
  folder: FederationFolder,
  signedRoster: SignedRoster,
  people: People,
  keys: CoordinatorKeys,
): Promise<string> {
  const { researcher } = people;
  const { origin, payload, quorumPolicy } = genesisOf({
    signedRoster,
    coordinatorHost: 'localhost',
    logPublicKey: publicKeyOf(keys.log),
    people: [{ id: researcher.id, role: 'researcher', publicKey: researcher.publicKey }],
    software: digestText(softwareDigest('coordinator')),
    at: new Date(),
  });
  writePublic(join(folder.federation, 'roster.json'), canonicalJson(signedRoster));
  writePublic(join(folder.federation, 'quorum.policy'), quorumPolicy);
  const draft = join(folder.federation, 'genesis.draft.json');
  writePublic(draft, payload);
  const keyName = statementKeyName(origin, 'coordinator', 'coordinator');
  const signatures = await Promise.all(
    signedRoster.roster.members.map((member) => {
      const args = ['sign-genesis', '--folder', join(folder.site(member.name), 'state'), '--payload', draft];
      return runToEnd(programs.daemon, args, entrySignature);
    }),
  );
  const entry = assembleEntry(payload, [
    signPayload(payload, { keyName, seed: keys.statement }),
    ...signatures,
  ]);
  openEntry(entry, undefined);
  writePublic(join(folder.federation, 'genesis.json'), entry);
  return origin;
}

function writeConfigs(
  options: CeremonyOptions,
  folder: FederationFolder,
  roster: Roster,
  origin: string,
  token: string,
): FoundedFederation {
  const { addresses } = options;
  const coordinatorConfig = join(folder.coordinator, 'coordinator.yaml');
  writePublic(coordinatorConfig, coordinatorYaml(folder, addresses, options.coordinator));
  writePublic(join(folder.federation, 'coordinator.json'), JSON.stringify(addresses));
  const sites = options.sites.map((site) => {
    const policyFile = join(folder.site(site.name), 'policy.yaml');
    copyFileSync(site.policyFile, policyFile);
    const config = join(folder.site(site.name), 'daemon.yaml');
    writePublic(config, daemonYaml(folder, addresses, hex(rosterHashOf(roster)), site));
    const id = roster.members.find((member) => member.name === site.name)?.id ?? 0;
    return { name: site.name, id, config, policyFile };
  });
  return { id: roster.federationId, origin, folder, addresses, roster, coordinatorConfig, token, sites };
}
