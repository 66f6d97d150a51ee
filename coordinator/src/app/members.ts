import { fromHex } from '@regulon/shared/crypto';
import type { Roster } from '@regulon/shared/plan';
import { parseEntry } from '@regulon/shared/transparency';
import type { Sequencer } from '../audit/index.js';
import type { Settings } from '../config/index.js';
import type { FormerMember, Member } from '../transport/index.js';

/** Who may connect. */
export const membersOf = ({ roster }: Pick<Settings, 'roster'>): Member[] =>
  roster.members.map((m) => ({ id: m.id, key: fromHex(m.key) }));

/**
 * Who could connect once: they are told that the federation has removed them, since when, and whom to ask.
 *
 * @param log in which the removals stand, as far as it was not pruned
 */
export function formerMembersOf(
  { roster, signedRoster, rosterChanges }: Pick<Settings, 'roster' | 'signedRoster' | 'rosterChanges'>,
  log: Pick<Sequencer, 'indexesOfKind' | 'entry'>,
): FormerMember[] {
  const entries = log.indexesOfKind('member.revoke').map((index) => parseEntry(log.entry(index)));
  const rosters = [signedRoster, ...rosterChanges].map((signed) => signed.roster);
  return rosters.slice(1).flatMap((next, i) => {
    const gone = (rosters[i]?.members ?? []).filter(({ id }) => !next.members.some((m) => m.id === id));
    return gone.map(({ id, name, key }) => {
      const entry = entries.find(({ kind, body }) => kind === 'member.revoke' && body.member === name);
      const why = next.follows === undefined ? '' : ` (reason: ${next.follows.reason})`;
      const since = entry === undefined ? '' : ` since ${entry.at}`;
      return {
        ...{ id, key: fromHex(key) },
        removal: `${name} is no member of ${roster.federationId}${since}${why}: roster version ${next.version} removed it`,
        ask: `ask the administrators of ${askable(roster)}, who sign the roster; no renewal helps, a hospital that joins again takes a new name and new keys`,
      };
    });
  });
}

/** Sites whose administrators sign the roster in force. */
function askable({ admins, members }: Roster): string {
  const names = admins.map(({ member }) => members.find(({ id }) => id === member)?.name);
  return [...new Set(names)].join(', ');
}
