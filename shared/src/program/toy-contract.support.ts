import { hex, publicKeyOf, sha256, utf8 } from '../crypto/index.js';
import { type Roster, rosterSchema, signMember } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { contractOf, type RunContract } from './contract.js';

/** Sites of the toy contract, in the order of its plan; their roster ids are 1…5. */
export const toySites = ['a', 'b', 'c', 'd', 'e'];

const seedOf = (text: string): Uint8Array => sha256(utf8(text));
const keyOf = (text: string): string => hex(publicKeyOf(seedOf(text)));

function memberOf(name: string, index: number): unknown {
  const self = { name, org: name, key: keyOf(`ik${name}`), cosignerKey: keyOf(`cosigner${name}`) };
  const valid = { validFrom: '2026-01-01T00:00:00Z', validTo: '2027-01-01T00:00:00Z' };
  const selfSignature = signMember(seedOf(`ik${name}`), self);
  return { id: index + 1, ...self, selfSignature, stewardKey: keyOf(`steward${name}`), ...valid };
}

const roster: Roster = rosterSchema.parse({
  ...{ schema: 'regulon.roster/1', federationId: 'fed_test', version: 1 },
  coordinatorKey: keyOf('coordinator'),
  members: toySites.map(memberOf),
  admins: [{ id: 1, member: 1, key: keyOf('admin') }],
  k: 1,
  policy: { nMin: 5, gamma: { num: 1, den: 3 }, gateMode: 'signed' },
});

/** A contract of five sites over six genes; `changes` replaces whole sections of its plan. */
export function toyContract(changes: Readonly<Record<string, unknown>> = {}, isPublic = true): RunContract {
  return contractOf({
    runId: new Uint8Array(16),
    plan: toyPlan(toySites, changes),
    roster,
    panel: { digest: sha256(), size: 6 },
    isPublic,
  });
}
