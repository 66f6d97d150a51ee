import { describe, expect, it } from '@jest/globals';
import type { Roster, SignedRoster } from '@regulon/shared/plan';
import { digestText, type Kind, parseEntry } from '@regulon/shared/transparency';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { formerMembersOf, membersOf } from './members.js';

const federation = new SampleFederation();
const { roster } = federation;
const [gone, ...stay] = roster.members;
const next: Roster = {
  ...roster,
  ...{ version: 2, members: stay, follows: { rosterHash: '00'.repeat(32), reason: 'compromised' } },
  admins: stay.map(({ id }, i) => ({ id: i + 1, member: id, key: 'ab'.repeat(32) })),
};
const signed = (one: Roster): SignedRoster => ({ roster: one, signatures: [] });
const digest = digestText(new Uint8Array(32));
const settings = { roster: next, signedRoster: signed(roster), rosterChanges: [signed(next)] };

/** A log in which one roster change stands. */
const removal = (): { indexesOfKind: (kind: Kind) => number[]; entry: () => Uint8Array; at: string } => {
  const attachment = { digest, size: 1, mediaType: 'application/json' };
  const body = {
    ...{ member: gone?.name ?? '', keys: [], previous: digest, rosterHash: digest, roster: attachment },
    ...{
      reason: 'compromised',
      quorumPolicy: attachment,
      administratorThreshold: 1,
      colluders: 1,
      quorum: 3,
    },
  };
  const bytes = federation.entry(['coordinator', 'coordinator'], 'member.revoke', {}, body);
  return {
    ...{ indexesOfKind: (kind) => (kind === 'member.revoke' ? [0] : []), entry: () => bytes },
    at: parseEntry(bytes).at,
  };
};

describe('who was a member', () => {
  it('is told that the federation removed it, since when, why and whom to ask', () => {
    const log = removal();
    expect(membersOf(settings).map(({ id }) => id)).toEqual(stay.map(({ id }) => id));
    expect(formerMembersOf(settings, log)).toMatchObject([
      {
        id: gone?.id,
        removal: `${gone?.name} is no member of ${roster.federationId} since ${log.at} (reason: compromised): roster version 2 removed it`,
        ask: expect.stringContaining(`ask the administrators of ${stay.map(({ name }) => name).join(', ')}`),
      },
    ]);
  });

  it('is told without a time when the log was pruned since', () => {
    const log = { indexesOfKind: () => [], entry: () => new Uint8Array(0) };
    expect(formerMembersOf(settings, log)[0]?.removal).toBe(
      `${gone?.name} is no member of ${roster.federationId} (reason: compromised): roster version 2 removed it`,
    );
  });
});
