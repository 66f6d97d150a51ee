import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EnrolmentRequest, verifyEnrolment } from '@regulon/client/enrol';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type Roster, rosterHashOf, type SignedRoster } from '@regulon/shared/plan';
import { programs, runToEnd } from '../programs.js';
import {
  type Addresses,
  buildRoster,
  coordinatorYaml,
  daemonYaml,
  enrolmentRequestSchema,
  makeCoordinatorKeys,
  signRoster,
  type SiteSetting,
  writePublic,
} from '../../enrolment/index.js';
import { issueCertificates } from './certificates.js';
import { createFolders, folderAt, type FederationFolder } from './folder.js';
import { foundLog } from './found-log.js';
import { ADMINISTRATORS_NEEDED, makePeople, type People } from './parties.js';

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
  const asked = options.sites.map((site) => enrolmentOf(folder, site));
  // when one fails, the others must not go on writing keys into a folder that the caller removes
  await Promise.allSettled(asked);
  const requests = await Promise.all(asked);
  const people = makePeople(folder, names);
  const keys = makeCoordinatorKeys(folder.coordinator);
  const signed = signedRosterOf(options, requests, people, keys.statement);
  await issueCertificates(folder, signed.roster, requests, options.addresses);
  const origin = await foundLog(folder, signed, people, keys);
  return writeConfigs(options, folder, signed.roster, origin, keys.token);
}

/** A daemon makes its own keys; only public halves and the signed request come back. */
async function enrolmentOf(
  folder: FederationFolder,
  site: { name: string; org: string },
): Promise<EnrolmentRequest> {
  const state = join(folder.site(site.name), 'state');
  const args = ['init', '--folder', state, '--name', site.name, '--org', site.org];
  const request = await runToEnd(programs.daemon, args, enrolmentRequestSchema);
  if (request.name !== site.name || !verifyEnrolment(request)) {
    throw new RegulonError('E_ROSTER', `the enrolment request of ${site.name} is not signed by its own key`);
  }
  return request;
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
    administrators: people.administrators.map((person, i) => ({
      member: i % members.length,
      key: hex(person.publicKey),
    })),
    k: ADMINISTRATORS_NEEDED,
    policy: options.policy,
    now: new Date(),
  });
  const signers = people.administrators.slice(0, ADMINISTRATORS_NEEDED);
  return signRoster(
    roster,
    signers.map((person) => ({ publicKey: person.publicKey, seed: person.named('').seed })),
  );
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
    writePublic(
      config,
      daemonYaml(
        { home: folder.site(site.name), federation: folder.federation },
        addresses,
        hex(rosterHashOf(roster)),
        site,
      ),
    );
    const id = roster.members.find((member) => member.name === site.name)?.id ?? 0;
    return { name: site.name, id, config, policyFile };
  });
  return { id: roster.federationId, origin, folder, addresses, roster, coordinatorConfig, token, sites };
}
