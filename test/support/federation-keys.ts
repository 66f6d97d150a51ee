import { hex, publicKeyOf, sha256, utf8 } from '@regulon/shared/crypto';
import { type Roster, rosterSchema, signMember } from '@regulon/shared/plan';

/** Deterministic 32-byte seed for a test key; never use outside tests. */
export const seedOf = (name: string): Uint8Array => sha256(utf8(`test seed of ${name}`));

/** A roster of test sites with ids 1…n, one administrator, and seeds known by `seedOf(name)`. */
export function testRoster(names: readonly string[], policy: Partial<Roster['policy']> = {}): Roster {
  const keyOf = (name: string): string => hex(publicKeyOf(seedOf(name)));
  return rosterSchema.parse({
    schema: 'regulon.roster/1',
    federationId: 'fed_test',
    version: 1,
    coordinatorKey: keyOf('coordinator'),
    members: names.map((name, i) => {
      const self = { name, org: name, key: keyOf(name), cosignerKey: keyOf(`${name} cosigner`) };
      return {
        id: i + 1,
        ...self,
        selfSignature: signMember(seedOf(name), self),
        stewardKey: keyOf(`${name} steward`),
        validFrom: '2026-01-01T00:00:00Z',
        validTo: '2036-01-01T00:00:00Z',
      };
    }),
    admins: [{ id: 1, member: 1, key: keyOf('admin') }],
    k: 1,
    policy: {
      nMin: names.length < 5 ? 3 : 5,
      gamma: names.length < 5 ? { num: 0, den: 1 } : { num: 1, den: 3 },
      gateMode: 'signed',
      ...policy,
    },
  });
}
