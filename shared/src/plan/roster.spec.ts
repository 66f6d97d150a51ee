import { describe, expect, it } from '@jest/globals';
import { hex, publicKeyOf, sha256, signEd25519, utf8 } from '../crypto/index.js';
import { signMember } from './member.js';
import { type Roster, rosterHashOf, rosterSchema, verifyInForce, verifyRoster } from './roster.js';

const seedOf = (name: string): Uint8Array => sha256(utf8(name));
const keyOf = (name: string): string => hex(publicKeyOf(seedOf(name)));
const memberOf = (name: string, i: number) => {
  const self = { name, org: name, key: keyOf(name), cosignerKey: keyOf(`${name} cosigner`) };
  const valid = { validFrom: '2026-01-01T00:00:00Z', validTo: '2027-01-01T00:00:00Z' };
  const selfSignature = signMember(seedOf(name), self);
  return { id: i + 1, ...self, selfSignature, stewardKey: keyOf(`${name} steward`), ...valid };
};
const roster = rosterSchema.parse({
  ...{
    schema: 'regulon.roster/1',
    federationId: 'fed_test',
    version: 1,
    coordinatorKey: keyOf('coordinator'),
  },
  members: ['a', 'b', 'c'].map(memberOf),
  admins: [1, 2].map((id) => ({ id, member: id, key: keyOf(`admin ${id}`) })),
  k: 2,
  policy: { nMin: 3, gamma: { num: 0, den: 1 }, gateMode: 'signed' },
});
type Member = Roster['members'][number];

/** A roster as its administrators would sign it, with changes. */
const verified = (changes: Partial<Roster>, signers = [1, 2]): Roster => {
  const changed = { ...roster, ...changes };
  const sign = (id: number): string => hex(signEd25519(seedOf(`admin ${id}`), rosterHashOf(changed)));
  return verifyRoster({
    roster: changed,
    signatures: signers.map((admin) => ({ admin, signature: sign(admin) })),
  });
};
const second = (change: Partial<Member>): Partial<Roster> => ({
  members: roster.members.map((m, i) => (i === 1 ? { ...m, ...change } : m)),
});

describe('a roster', () => {
  it('verifies when k administrators signed it', () => {
    expect(verified({})).toEqual(roster);
    expect(() => verified({}, [1])).toThrow(/1 of 2 administrators signed/);
    expect(() => verified({}, [1, 1])).toThrow(/1 of 2 administrators signed/);
  });

  it.each<[string, Partial<Roster>, RegExp]>([
    [
      'lists an identity key that its site did not sign',
      second({ key: keyOf('stolen') }),
      /member b is not signed/,
    ],
    ['renames a site', second({ name: 'd' }), /member d is not signed/],
    ['exchanges a cosigner key', second({ cosignerKey: keyOf('other') }), /member b is not signed/],
    ['moves a site to another organisation', second({ org: 'other' }), /member b is not signed/],
    ['lists one site twice', second({ name: 'a' }), /ids and names must be unique/],
    ['gives one key two roles', second({ stewardKey: keyOf('coordinator') }), /one key stands in two roles/],
    [
      'has an administrator of no member',
      { admins: roster.admins.map((a) => ({ ...a, member: a.member + 3 })) },
      /administrators .* belong to members/,
    ],
  ])('is refused when it %s, whoever signed it', (_, changes, rule) => {
    expect(() => verified(changes)).toThrow(rule);
    expect(() => verified(changes)).toThrow(expect.objectContaining({ code: 'E_ROSTER' }));
  });

  it('is in force between the dates of all its members', () => {
    const at = (time: string): void => verifyInForce(roster, Date.parse(time));
    expect(() => at('2026-06-01T00:00:00Z')).not.toThrow();
    expect(() => at('2025-12-31T23:59:59Z')).toThrow(/the membership of a begins at 2026-01-01/);
    expect(() => at('2027-01-01T00:00:00Z')).toThrow(/the membership of a ended at 2027-01-01/);
    const left = { ...roster, ...second({ validTo: '2026-02-01T00:00:00Z' }) };
    expect(() => verifyInForce(left, Date.parse('2026-06-01T00:00:00Z'))).toThrow(/membership of b ended/);
  });
});
