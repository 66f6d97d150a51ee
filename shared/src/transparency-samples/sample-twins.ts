import { sha256, utf8 } from '../crypto/index.js';
import { type BodyOf, parseEntry } from '../transparency/index.js';
import { firstEntryOf } from './sample-evidence.js';
import { SampleFederation, signSampleRoster } from './sample-federation.js';
import type { SampleLog } from './sample-log.js';
import { rotated } from './sample-membership.js';
import { personKey, writeGrant, writeProposal } from './sample-roles.js';

/** Two entries with one number, the logged one first. */
export type Twins = [Uint8Array, Uint8Array];

const entryAt = (log: SampleLog, index: number): Uint8Array => log.entries[index] ?? new Uint8Array(0);

/**
 * A researcher gets the role and proposes a plan; the twin is a proposal under the same number.
 *
 * @param at when the twin was signed, ms since the epoch
 */
export function twinsOfProposal(log: SampleLog, researcher = 'r2', at?: number): Twins {
  writeGrant(log, researcher);
  const logged = entryAt(log, writeProposal(log, researcher));
  const { body } = parseEntry(logged);
  const twin = firstEntryOf(
    ['researcher', researcher],
    'plan.propose',
    {},
    body as BodyOf<'plan.propose'>,
    [],
    at,
  );
  return [logged, twin];
}

/** Two first entries of a steward that give a role; the coordinator has signed one of them, as it does before it logs one. */
export function twinGrants(log: SampleLog): Twins {
  const body = {
    ...({ role: 'auditor', subject: 'a1', issuer: 'site-1' } as const),
    ...{ key: personKey(log, 'auditor', 'a1'), validUntil: '2027-01-01T00:00:00.000Z' },
  };
  const coordinator = log.federation.signer('coordinator', 'coordinator');
  const signed = (others: Parameters<typeof firstEntryOf>[4], at: number): Uint8Array =>
    firstEntryOf(['steward', 'site-1'], 'role.grant', {}, body, others, Date.UTC(2026, 10, 20, at));
  return [signed([coordinator], 11), signed([], 12)];
}

/** The first entry of site-1 under its first key, and the one that it signs anew after its key was exchanged. */
export function twinsAfterExchange(log: SampleLog): Twins {
  const key = sha256(utf8('new key of site-1'));
  const first = log.entries.find((bytes) => {
    const { actor } = parseEntry(bytes);
    return actor.type === 'site' && actor.id === 'site-1';
  });
  if (first === undefined) throw new TypeError('site-1 wrote nothing');
  log.change(signSampleRoster(rotated(log.federation.roster, 'site', 1, key), [1, 2, 3]));
  log.federation.exchange('site', 'site-1', key);
  const renewed = new SampleFederation(5, SampleFederation.ticking(Date.UTC(2026, 10, 20, 11)));
  renewed.exchange('site', 'site-1', key);
  const { body } = parseEntry(first);
  return [
    first,
    renewed.entry(
      ['site', 'site-1'],
      'dataset.commit',
      {},
      body as BodyOf<'dataset.commit'>,
      others(renewed),
    ),
  ];
}

const others = (federation: SampleFederation): [ReturnType<SampleFederation['signer']>] => [
  federation.signer('steward', 'site-1'),
];
