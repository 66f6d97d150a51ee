import { join } from 'node:path';
import { canonicalJson, publicKeyOf } from '@regulon/shared/crypto';
import type { SignedRoster } from '@regulon/shared/plan';
import {
  assembleEntry,
  digestText,
  genesisOf,
  openEntry,
  signPayload,
  statementKeyName,
} from '@regulon/shared/transparency';
import { entrySignature } from '../daemon-replies.js';
import { programs, runToEnd, softwareDigest } from '../programs.js';
import { type FederationFolder, writePublic } from './folder.js';
import type { CoordinatorKeys, People } from './parties.js';

/** Write roster, quorum policy and the genesis, which the coordinator and every site sign. @returns the log's origin */
export async function foundLog(
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
    software: digestText(softwareDigest()),
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
