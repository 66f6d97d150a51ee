import { join } from 'node:path';
import { canonicalJson, publicKeyOf } from '@regulon/shared/crypto';
import type { SignedRoster } from '@regulon/shared/plan';
import { digestText, genesisOf } from '@regulon/shared/transparency';
import { type CoordinatorSeeds, sealGenesis, softwareDigest, writePublic } from '../../enrolment/index.js';
import { entrySignature } from '../daemon-replies.js';
import { programs, runToEnd } from '../programs.js';
import type { FederationFolder } from './folder.js';
import type { People } from './parties.js';

/** Write roster, quorum policy and the genesis, which the coordinator and every site sign. @returns the log's origin */
export async function foundLog(
  folder: FederationFolder,
  signedRoster: SignedRoster,
  people: People,
  keys: CoordinatorSeeds,
): Promise<string> {
  const { researcher } = people;
  const { origin, payload, quorumPolicy } = genesisOf({
    signedRoster,
    coordinatorHost: 'localhost',
    logPublicKey: publicKeyOf(keys.log),
    people: [{ id: researcher.id, role: 'researcher', publicKey: researcher.publicKey }],
    software: digestText(softwareDigest()),
    at: new Date(),
  });
  writePublic(join(folder.federation, 'roster.json'), canonicalJson(signedRoster));
  writePublic(join(folder.federation, 'quorum.policy'), quorumPolicy);
  const draft = join(folder.federation, 'genesis.draft.json');
  writePublic(draft, payload);
  const signatures = await Promise.all(
    signedRoster.roster.members.map((member) => {
      const args = ['sign-genesis', '--folder', join(folder.site(member.name), 'state'), '--payload', draft];
      return runToEnd(programs.daemon, args, entrySignature);
    }),
  );
  const entry = sealGenesis({ payload, origin }, keys.statement, signatures);
  writePublic(join(folder.federation, 'genesis.json'), entry);
  return origin;
}
