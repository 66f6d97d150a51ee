import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, hex } from '@regulon/shared/crypto';
import { type Roster, rosterHashOf } from '@regulon/shared/plan';
import { formatVkey, KeyType, statementKeyName, verifierKeyOf } from '@regulon/shared/transparency';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { type Federation, loadFederation } from './federation.js';
import { genesisDraft, origin, seedOf, signedRoster, testGenesis, testRoster } from './site.support.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const roster = testRoster();
let folder: string;

beforeEach(() => {
  folder = temporaryFolder('federation');
});

const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(folder, name), bytes);
/** Load what an honest coordinator hands out, with changes. */
const load = (genesis = testGenesis(roster), of: Roster = roster, at = now): Federation => {
  write('roster.json', canonicalJsonBytes(signedRoster(of)));
  write('genesis.json', genesis);
  return loadFederation(folder, 'a', hex(rosterHashOf(of)), seedOf('site', 1), at);
};
/** A genesis that everybody signed, with another body. */
const signedBody = (change: (body: Record<string, unknown>) => object): Uint8Array => {
  const draft = JSON.parse(Buffer.from(genesisDraft(roster)).toString()) as { body: Record<string, unknown> };
  return testGenesis(
    roster,
    canonicalJsonBytes({ ...draft, body: { ...draft.body, ...change(draft.body) } }),
  );
};
const held = (type: string, name: string): string =>
  formatVkey(
    verifierKeyOf(
      { keyName: statementKeyName(origin, type, name), seed: seedOf(`held ${type} ${name}`) },
      KeyType.statement,
    ),
  );
const refused = (what: RegExp): object =>
  expect.objectContaining({ code: 'E_ROSTER', message: expect.stringMatching(what) as unknown });

describe('the federation folder', () => {
  it('is taken when roster and genesis are those that everybody signed', () => {
    const { own, keys } = load();
    expect(own.name).toBe('a');
    expect(keys.members.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is refused when the genesis lists a member again, under a steward key of the coordinator', () => {
    const genesis = signedBody(({ members }) => {
      const list = members as Record<string, unknown>[];
      const again = list.map((m, i) => ({
        ...m,
        ...{
          id: i + 6,
          statement: held('site', String(m['name'])),
          steward: held('steward', String(m['name'])),
        },
        cosigner: formatVkey(
          verifierKeyOf(
            { keyName: `${origin}/site/${i}`, seed: seedOf(`held cosigner ${i}`) },
            KeyType.cosigner,
          ),
        ),
      }));
      return { members: [...list, ...again] };
    });
    expect(() => load(genesis)).toThrow(refused(/body\.members/));
  });

  it('is refused when the genesis names another coordinator, cosigner, administrator or rule', () => {
    const member = (change: object) => (body: Record<string, unknown>) => ({
      members: (body['members'] as object[]).map((m, i) => (i === 2 ? { ...m, ...change } : m)),
    });
    const changes: [(body: Record<string, unknown>) => object, RegExp][] = [
      [() => ({ coordinatorKey: held('coordinator', '') }), /body\.coordinatorKey/],
      [member({ cosigner: held('site', 'c') }), /body\.members/],
      [member({ administrators: [held('administrator', 'c')] }), /body\.members/],
      [() => ({ gamma: { num: 0, den: 1 } }), /body\.gamma/],
      [() => ({ gateLag: 0 }), /body\.gateLag/],
      [() => ({ quorum: 3 }), /body\.quorum/],
    ];
    for (const [change, field] of changes) expect(() => load(signedBody(change))).toThrow(refused(field));
  });

  it('is refused when a member did not sign the genesis', () => {
    const entry = JSON.parse(Buffer.from(testGenesis(roster)).toString()) as { sigs: { key: string }[] };
    const sigs = entry.sigs.filter(({ key }) => !key.includes('/site/d+'));
    expect(() => load(canonicalJsonBytes({ ...entry, sigs }))).toThrow(/site\/d\+[0-9a-f]{8} is missing/);
  });

  it('is refused when a membership has ended or a member is not signed by its own key', () => {
    expect(() => load(testGenesis(roster), roster, Date.parse('2036-01-01T00:00:00Z'))).toThrow(
      refused(/not in force: the membership of a ended/),
    );
    const members = roster.members.map((m, i) => (i === 3 ? { ...m, selfSignature: '00'.repeat(64) } : m));
    const forged = { ...roster, members };
    expect(() => load(testGenesis(forged), forged)).toThrow(refused(/member d is not signed/));
  });

  it('is refused when it is not the roster that was pinned, or lists another key for this site', () => {
    load();
    const other = 'ab'.repeat(32);
    expect(() => loadFederation(folder, 'a', other, seedOf('site', 1), now)).toThrow(refused(/pinned/));
    const pinned = hex(rosterHashOf(roster));
    expect(() => loadFederation(folder, 'a', pinned, seedOf('site', 2), now)).toThrow(
      refused(/another identity key/),
    );
    expect(() => loadFederation(folder, 'f', pinned, seedOf('site', 1), now)).toThrow(
      refused(/does not list/),
    );
  });
});
