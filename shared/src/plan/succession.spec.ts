import { describe, expect, it } from '@jest/globals';
import { hex, publicKeyOf, sha256, utf8 } from '../crypto/index.js';
import { joined, left, rotated, SampleFederation, signSampleRoster } from '../transparency-samples/index.js';
import { type Roster, rosterHashOf } from './roster.js';
import { verifyRosterChain, verifySuccessor } from './succession.js';

const { roster: founding } = new SampleFederation();
const fresh = (name: string): Uint8Array => sha256(utf8(`fresh ${name}`));
const six = joined(founding, 6);
const follows = (changes: Partial<Roster>): Roster => ({ ...six, ...changes });

describe('a roster that follows another one', () => {
  it.each<[string, Roster, object]>([
    ['a member joins', six, { kind: 'join', member: expect.objectContaining({ name: 'site-6' }) }],
    ['a member is revoked', left(founding, 4), { kind: 'revoke', member: founding.members[3] }],
    ['more administrators must sign once a member has joined', { ...six, k: 4 }, { kind: 'join' }],
    [
      'a steward key is exchanged',
      rotated(founding, 'steward', 3, fresh('steward')),
      { kind: 'rotate', role: 'steward', id: 'site-3', key: hex(publicKeyOf(fresh('steward'))) },
    ],
    ['an identity key is exchanged', rotated(founding, 'site', 3, fresh('site')), { role: 'site' }],
    [
      'a cosigner key is exchanged',
      rotated(founding, 'cosigner', 3, fresh('cosigner')),
      { role: 'cosigner' },
    ],
  ])('holds when the quorum of the one before signed it: %s', (_, roster, change) => {
    expect(verifySuccessor([founding], signSampleRoster(roster, [1, 2, 3]))).toMatchObject(change);
  });

  it('lets a site leave under the signature of its own administrator alone', () => {
    const gone = left(six, 2);
    const signedBy = (roster: Roster, admin: number): (() => unknown) => {
      return () => verifySuccessor([founding, six], signSampleRoster(roster, [admin]));
    };
    expect(signedBy(gone, 2)()).toMatchObject({ kind: 'revoke' });
    expect(signedBy(gone, 1)).toThrow(/1 of 3 administrators/);
    expect(signedBy({ ...gone, k: 1 }, 2)).toThrow(/1 of 3 administrators/);
    expect(signedBy(joined(six, 7), 2)).toThrow(/1 of 3 administrators/);
  });

  it.each<[string, Roster, number[], RegExp]>([
    ['too few administrators signed', six, [1, 2], /2 of 3 administrators signed/],
    ['only the newcomer signed beside them', six, [1, 2, 6], /signature of administrator 6 is not valid/],
    [
      'a version is skipped',
      follows({ version: 3 }),
      [1, 2, 3],
      /version in force is 1, the next one is due/,
    ],
    ['it repeats the version', follows({ version: 1 }), [1, 2, 3], /version in force is 1/],
    [
      'it follows another roster of that version',
      joined(follows({ version: 1, members: founding.members }), 6),
      [1, 2, 3],
      /follows another roster than version 1/,
    ],
    [
      'it is of another federation',
      follows({ federationId: 'fed_other' }),
      [1, 2, 3],
      /not one of fed_sample/,
    ],
    [
      'two members join at once',
      { ...joined(joined(founding, 7), 6), version: 2 },
      [1, 2, 3],
      /follows another/,
    ],
    [
      'a member joins and another leaves',
      follows({ members: six.members.slice(1), admins: six.admins.slice(1) }),
      [1, 2, 3],
      /more than one member or one key/,
    ],
    [
      'the rules change beside',
      follows({ policy: { ...founding.policy, nMin: 3 } }),
      [1, 2, 3],
      /more than one member/,
    ],
    [
      'a newcomer brings another administrator for an old member',
      follows({ admins: six.admins.map((admin) => (admin.id === 6 ? { ...admin, member: 1 } : admin)) }),
      [1, 2, 3],
      /more than one member/,
    ],
    [
      'nothing changes',
      follows({ members: founding.members, admins: founding.admins }),
      [1, 2, 3],
      /more than one/,
    ],
    [
      'it asks for more administrators than there are',
      { ...six, k: 9 },
      [1, 2, 3],
      /more administrators must sign/,
    ],
    [
      'the old key did not hand over',
      rotated(founding, 'steward', 3, fresh('steward'), fresh('thief')),
      [1, 2, 3],
      /old steward key of site-3 did not hand over/,
    ],
  ])('is refused when %s', (_, roster, admins, rule) => {
    const attempt = (): unknown => verifySuccessor([founding], signSampleRoster(roster, admins));
    expect(attempt).toThrow(rule);
    expect(attempt).toThrow(expect.objectContaining({ code: 'E_ROSTER' }));
  });

  it.each<[string, Roster]>([
    ['steward', rotated(six, 'steward', 6, fresh('steward'))],
    ['cosigner', rotated(six, 'cosigner', 6, fresh('cosigner'))],
    ['site', rotated(six, 'site', 6, fresh('site'))],
  ])('exchanges a %s key only with an administrator of its member', (_, roster) => {
    const by = (admins: number[]) => (): unknown =>
      verifySuccessor([founding, six], signSampleRoster(roster, admins));
    expect(by([1, 2, 3])).toThrow(/no administrator of site-6 signed the exchange/);
    expect(by([1, 2, 6])()).toMatchObject({ kind: 'rotate', id: 'site-6' });
  });

  it('never brings back a member, a name or a key', () => {
    const gone = left(founding, 5);
    const again = joined(gone, 5);
    expect(() => verifySuccessor([founding, gone], signSampleRoster(again, [1, 2, 3]))).toThrow(
      /brings back a key of an earlier roster/,
    );
    const renamed = (name: string, id: number): Roster => {
      const { members, ...rest } = joined(gone, 6);
      const [newcomer] = members.slice(-1);
      const named = rotated(
        { ...rest, members: [{ ...newcomer!, name, id }] },
        'site',
        id,
        fresh('own'),
        fresh('own'),
      );
      return { ...rest, members: [...members.slice(0, -1), ...named.members], admins: gone.admins };
    };
    for (const roster of [renamed('site-5', 6), renamed('site-6', 5)])
      expect(() => verifySuccessor([founding, gone], signSampleRoster(roster, [1, 2, 3]))).toThrow(
        /was one before: who joins again takes a new name/,
      );
  });

  it('has no say any more once its administrator was removed', () => {
    const gone = left(six, 3);
    const next = joined(gone, 7);
    expect(() => verifySuccessor([founding, six, gone], signSampleRoster(next, [1, 2, 3]))).toThrow(
      /signature of administrator 3 is not valid/,
    );
    expect(verifySuccessor([founding, six, gone], signSampleRoster(next, [1, 2, 6]))).toMatchObject({
      kind: 'join',
    });
  });
});

describe('the rosters of a federation', () => {
  const signed = signSampleRoster(founding, [1, 2, 3]);
  const second = signSampleRoster(six, [1, 2, 3]);

  it('verify from the founding on, and end in the one that is pinned', () => {
    expect(verifyRosterChain([signed, second], rosterHashOf(six))).toEqual([founding, six]);
    expect(() => verifyRosterChain([signed], rosterHashOf(six))).toThrow(
      /not the roster that this site pinned/,
    );
  });

  it('do not begin with one that follows another', () => {
    expect(() => verifyRosterChain([second])).toThrow(/follows another one, whose administrators/);
  });
});
