import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, fromHex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict, rosterSchema } from '@regulon/shared/plan';
import { digestText, genesisOf, isPayloadSigned, verifyGenesisOfRoster } from '@regulon/shared/transparency';
import { readJsonFile } from '../files/index.js';
import { issueSiteCertificates, issueServerCertificate, loadAuthority } from './certificates.js';
import { shown } from './change-lines.js';
import { coordinatorYaml } from './configs.js';
import { readCoordinatorSeeds } from './coordinator-keys.js';
import type { FederationFile } from './federation-file.js';
import { admittedRequests } from './founder.js';
import type { FounderFolder } from './founder-folder.js';
import { sealGenesis } from './genesis-entry.js';
import { writePrivate, writePublic } from './public-files.js';
import { buildRoster } from './roster.js';
import {
  isRosterSigned,
  mergeSignatures,
  type RosterChange,
  rosterChangeSchema,
  signedRosterOf,
  verifySignedChange,
} from './roster-change.js';
import { rosterChainOf } from './roster-chain.js';
import { softwareDigest } from './software-digest.js';

/**
 * The first roster, from every request that was admitted: nobody has signed it.
 *
 * @throws E_ARGUMENT when a change is open, or the federation stands already; E_ROSTER when it would not hold
 */
export function proposeFounding(folder: FounderFolder, now: Date): RosterChange {
  if (folder.stands) throw new RegulonError('E_ARGUMENT', `${folder.root}: the federation stands already`);
  if (existsSync(folder.changeFile))
    throw new RegulonError('E_ARGUMENT', `${folder.changeFile}: a change is open`, {
      hint: 'let the administrators sign it, or remove the file to begin again',
    });
  const { federationId, policy, k: asked } = folder.terms();
  const requests = admittedRequests(folder);
  const k = asked ?? Math.floor(requests.length / 2) + 1;
  const least = Math.max(3, k, policy.nMin ?? 3);
  if (requests.length < least) {
    const words = `${requests.length} sites were admitted, this federation needs at least ${least}`;
    throw new RegulonError('E_ARGUMENT', words, { hint: 'invite and admit the others first' });
  }
  const built = buildRoster({
    ...{ federationId, policy, now, k },
    coordinatorKey: publicKeyOf(readCoordinatorSeeds(folder.coordinator).statement),
    members: requests.map(({ enrolment, stewardKey }) => ({ ...enrolment, stewardKey })),
    administrators: requests.map(({ administratorKey: key }, member) => ({ member, key })),
  });
  const roster = parseStrict(rosterSchema, built, 'the roster', 'E_ROSTER');
  const change = { schema: 'regulon.roster-change/1' as const, previous: null, roster };
  return keep(folder, { ...change, signatures: [], genesis: null });
}

/** The change that is open. @throws E_ARGUMENT when there is none */
export function openChange(folder: FounderFolder): RosterChange {
  if (existsSync(folder.changeFile)) return readJsonFile(folder.changeFile, rosterChangeSchema, 'E_CONFIG');
  throw new RegulonError('E_ARGUMENT', 'no change of the roster is open', {
    hint: '`regulon fed propose` begins one',
  });
}

/**
 * Take over signatures that came back. When the roster has enough of them, the first entry of the log is drafted.
 *
 * @param other attacker-controlled
 * @throws E_ROSTER when it is about another roster or a signature is not valid; E_LOG_ENTRY
 */
export function collect(folder: FounderFolder, other: RosterChange, from: string, now: Date): RosterChange {
  const change = openChange(folder);
  // signatures that come later would change the bytes that the first entry refers to
  const merged = change.genesis === null ? mergeSignatures(change, other, from) : change;
  if (!isRosterSigned(merged) || merged.previous !== null) return keep(folder, merged);
  verifySignedChange(merged);
  return keep(folder, withGenesis(folder, merged, { other, from, now }));
}

/** Whether nothing more is to be signed: of a founding the first entry of the log by every site, later the roster. */
export function isWhole(change: RosterChange): boolean {
  const { genesis, roster, previous } = change;
  if (previous !== null) return isRosterSigned(change);
  return genesis !== null && genesis.signatures.length === roster.members.length;
}

/**
 * The federation stands: write its public folder, the coordinator's configuration and certificate.
 *
 * @returns what every site installs
 * @throws E_LOG_ENTRY when a site's signature of the first entry does not verify; E_CERTIFICATE
 */
export async function found(folder: FounderFolder, change: RosterChange): Promise<FederationFile> {
  const terms = folder.terms();
  const signed = signedRosterOf(change);
  const payload = Buffer.from(change.genesis?.payload ?? '', 'base64');
  const { statement } = readCoordinatorSeeds(folder.coordinator);
  const { origin, quorumPolicy } = verifyGenesisOfRoster(payload, signed);
  const genesis = sealGenesis({ payload, origin }, statement, change.genesis?.signatures ?? []);
  writePublic(folder.rosterFile, canonicalJson(signed));
  writePublic(join(folder.federation, 'genesis.json'), genesis);
  writePublic(join(folder.federation, 'quorum.policy'), quorumPolicy);
  writePublic(
    join(folder.coordinator, 'coordinator.yaml'),
    coordinatorYaml(folder, terms.coordinator, {
      authority: { key: folder.authorityKeyFile, days: terms.certificateDays },
    }),
  );
  return certify(folder);
}

/**
 * New certificates for the coordinator and every member of a federation that stands.
 *
 * @returns what every site installs
 * @throws E_ARGUMENT when the federation does not stand; E_CERTIFICATE
 */
export async function certify(folder: FounderFolder): Promise<FederationFile> {
  const { host, controlPort, bulkPort } = folder.terms().coordinator;
  const { founding, changes, last } = rosterChainOf(folder);
  const authority = await loadAuthority(folder);
  const certificates = await issueSiteCertificates(authority, folder, last.roster);
  await issueServerCertificate(folder, authority, host);
  const read = (name: string): Buffer => readFileSync(join(folder.federation, name));
  return {
    schema: 'regulon.federation/1',
    coordinator: { host, controlPort, bulkPort },
    roster: founding,
    changes: [...changes],
    genesis: read('genesis.json').toString('base64'),
    quorumPolicy: read('quorum.policy').toString('utf8'),
    authority: authority.certificate,
    certificates,
  };
}

/** The draft of the first entry, or what was drafted before with the signatures that came with `other`. */
function withGenesis(
  folder: FounderFolder,
  change: RosterChange,
  { other, from, now }: { readonly other: RosterChange; readonly from: string; readonly now: Date },
): RosterChange {
  const genesis = change.genesis ?? { payload: draftGenesis(folder, change, now), signatures: [] };
  const theirs = other.genesis?.payload === genesis.payload ? other.genesis.signatures : [];
  const { keys } = verifyGenesisOfRoster(Buffer.from(genesis.payload, 'base64'), signedRosterOf(change));
  const signatures = new Map(genesis.signatures.map((one) => [one.key, one]));
  for (const one of theirs) {
    const signer = keys.find(one.key);
    if (
      signer?.type !== 'site' ||
      !isPayloadSigned(Buffer.from(genesis.payload, 'base64'), one, signer.key.publicKey)
    )
      throw new RegulonError(
        'E_ROSTER',
        `${from}: the signature of ${shown(one.key)} under the first entry is not valid`,
      );
    signatures.set(one.key, one);
  }
  return { ...change, genesis: { ...genesis, signatures: [...signatures.values()] } };
}

function draftGenesis(folder: FounderFolder, change: RosterChange, at: Date): string {
  const { coordinator, people } = folder.terms();
  const draft = genesisOf({
    signedRoster: signedRosterOf(change),
    coordinatorHost: coordinator.host,
    logPublicKey: publicKeyOf(readCoordinatorSeeds(folder.coordinator).log),
    people: people.map(({ id, role, key }) => ({ id, role, publicKey: fromHex(key) })),
    software: digestText(softwareDigest()),
    at,
  });
  return Buffer.from(draft.payload).toString('base64');
}

function keep(folder: FounderFolder, change: RosterChange): RosterChange {
  writePrivate(folder.changeFile, change);
  return change;
}
