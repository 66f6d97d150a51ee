import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, hex, publicKeyOf, sha256, signEd25519, utf8 } from '../../crypto/index.js';
import { type Roster, rosterHashOf, type SignedRoster } from '../../plan/index.js';
import { SampleFederation } from '../../transparency-samples/index.js';
import { formatVkey, KeyType, statementKeyName, verifierKeyOf } from '../notes/vkey.js';
import { attachmentOf, MediaType } from './attachments.js';
import { digestText } from './fields.js';
import type { GenesisMember } from './federation-keys.js';
import { genesisOf } from './genesis.js';
import { verifyGenesisOfRoster } from './genesis-of-roster.js';
import type { BodyOf } from './kinds.js';

type Body = BodyOf<'federation.genesis'> & { members: GenesisMember[] };

const signed = (roster: Roster): SignedRoster => ({
  roster,
  signatures: [1, 2, 3].map((admin) => {
    const seed = SampleFederation.seed('administrator', String(admin));
    return { admin, signature: hex(signEd25519(seed, rosterHashOf(roster))) };
  }),
});
const federation = new SampleFederation();
const roster = signed(federation.roster);
const { payload, origin } = federation.genesis;
const draft = JSON.parse(Buffer.from(payload).toString()) as { body: Body; fed: string };
const changed = (change: (body: Body) => object): Uint8Array =>
  canonicalJsonBytes({ ...draft, body: { ...draft.body, ...change(structuredClone(draft.body)) } });
const attackers = (type: string, id: string, keyType: KeyType = KeyType.statement): string => {
  const keyName = keyType === KeyType.cosigner ? `${origin}/site/${id}` : statementKeyName(origin, type, id);
  return formatVkey(verifierKeyOf({ keyName, seed: sha256(utf8(`attacker ${type} ${id}`)) }, keyType));
};
/** Members with the first listed again under keys that the coordinator holds. */
const doubled = (members: readonly GenesisMember[]): GenesisMember[] => {
  const keys = (name: string): Partial<GenesisMember> => ({
    statement: attackers('site', name),
    steward: attackers('steward', name),
    cosigner: attackers('cosigner', name, KeyType.cosigner),
  });
  return [...members, ...members.map((m, i) => ({ ...m, ...keys(m.name), id: i + 100, administrators: [] }))];
};
const first = (members: GenesisMember[], change: Partial<GenesisMember>): object => ({
  members: members.map((m, i) => (i === 0 ? { ...m, ...change } : m)),
});

describe('the genesis that a roster implies', () => {
  it('is recognised, whatever host, log key, people, software and time it names', () => {
    expect(verifyGenesisOfRoster(payload, roster).keys.members).toHaveLength(5);
    const other = genesisOf({
      ...{ signedRoster: roster, coordinatorHost: 'elsewhere.example', software: digestText(sha256()) },
      logPublicKey: publicKeyOf(SampleFederation.seed('log', 'other')),
      people: [
        { id: 'op', role: 'operator', publicKey: publicKeyOf(SampleFederation.seed('operator', 'op')) },
      ],
      at: new Date(0),
    });
    expect(verifyGenesisOfRoster(other.payload, roster).origin).toBe('elsewhere.example/fed/fed_sample');
  });

  it('brings its attachments, also a long list of members', () => {
    const many = new SampleFederation(70);
    const { resolve, keys } = verifyGenesisOfRoster(many.genesis.payload, signed(many.roster));
    expect(keys.members).toHaveLength(70);
    expect(resolve(keys.genesis.roster.digest)).toEqual(canonicalJsonBytes(signed(many.roster)));
  });

  const cases: [string, (body: Body) => object, string][] = [
    [
      'every member once more, under keys of the coordinator',
      ({ members }) => ({ members: doubled(members) }),
      'body.members',
    ],
    ['a member less', ({ members }) => ({ members: members.slice(1) }), 'body.members'],
    [
      'another steward',
      ({ members }) => first(members, { steward: attackers('steward', 'site-1') }),
      'body.members',
    ],
    [
      'another cosigner',
      ({ members }) => first(members, { cosigner: attackers('cosigner', 'site-1', KeyType.cosigner) }),
      'body.members',
    ],
    [
      'another administrator',
      ({ members }) => first(members, { administrators: [attackers('administrator', 'site-1-1')] }),
      'body.members',
    ],
    ['another coordinator', () => ({ coordinatorKey: attackers('coordinator', '') }), 'body.coordinatorKey'],
    ['another gamma', () => ({ gamma: { num: 0, den: 3 } }), 'body.gamma'],
    ['another gate lag', () => ({ gateLag: 0 }), 'body.gateLag'],
    ['another gate mode', () => ({ gateMode: 'cosigned' }), 'body.gateMode'],
    ['another quorum', () => ({ quorum: 1 }), 'body.quorum'],
    ['more colluders', () => ({ colluders: 0 }), 'body.colluders'],
    [
      'another threshold of administrators',
      () => ({ administratorThreshold: 1 }),
      'body.administratorThreshold',
    ],
    [
      'another quorum policy',
      () => ({ quorumPolicy: attachmentOf(utf8('quorum none\n'), MediaType.text) }),
      'body.quorumPolicy',
    ],
    ['another roster', () => ({ rosterHash: digestText(sha256()) }), 'body.rosterHash'],
  ];
  it.each(cases)('is not one with %s', (_, change, field) => {
    const check = () => verifyGenesisOfRoster(changed(change), roster);
    expect(check).toThrow(expect.objectContaining({ code: 'E_ROSTER' }));
    expect(check).toThrow(`${field} is not what the roster implies`);
  });

  it('has people of its own, no stewards and nobody twice', () => {
    const person = (role: string, key: string): object => ({ people: [{ id: 'site-1', role, key }] });
    const check = (body: object) => () =>
      verifyGenesisOfRoster(
        changed(() => body),
        roster,
      );
    expect(check(person('steward', attackers('steward', 'site-1')))).toThrow(/no genesis/);
    const key = attackers('researcher', 'site-1');
    expect(check(person('researcher', key))).not.toThrow();
    const twice = {
      people: [key, attackers('researcher', 'site-1')].map((k) => ({
        id: 'site-1',
        role: 'researcher',
        key: k,
      })),
    };
    expect(check(twice)).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY' }));
  });

  it('is canonical JSON of one form', () => {
    for (const text of ['', 'null', '{}', ` ${Buffer.from(payload).toString()}`])
      expect(() => verifyGenesisOfRoster(utf8(text), roster)).toThrow(/no genesis/);
    expect(() => verifyGenesisOfRoster(Uint8Array.of(0xff), roster)).toThrow(/no genesis/);
    const elsewhere = changed(() => ({ origin: 'regulon.example/fed/fed_other' }));
    expect(() => verifyGenesisOfRoster(elsewhere, roster)).toThrow(/its origin names another federation/);
    const weak = changed(() => ({ logKey: `${origin}+00000000+${Buffer.alloc(33, 1).toString('base64')}` }));
    expect(() => verifyGenesisOfRoster(weak, roster)).toThrow(/fed_sample/);
    const foreign = canonicalJsonBytes({ ...draft, kind: 'round.open' });
    expect(() => verifyGenesisOfRoster(foreign, roster)).toThrow(/kind is not what/);
  });
});
