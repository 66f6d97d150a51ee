import { canonicalJson } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { SignedRoster } from '@regulon/shared/plan';
import { type KeyHistory, parseEntry } from '@regulon/shared/transparency';
import type { LogRows } from './log-rows.js';

/**
 * Take the changes of the membership that the log has already.
 *
 * @param changes the rosters that followed the one of entry 0, oldest first
 * @returns those that the log lacks
 * @throws E_ROSTER when the log has changes that are not given, or other ones
 */
export function replayChanges(
  history: KeyHistory,
  rows: LogRows,
  changes: readonly SignedRoster[],
): readonly SignedRoster[] {
  const kinds = ['member.join', 'member.revoke', 'key.rotate'];
  const indexes = kinds.flatMap((kind) => rows.ofKind(kind)).sort((a, b) => a - b);
  indexes.forEach((index, i) => {
    const signed = changes[i];
    if (signed === undefined) throw behind(index, history);
    const [bytes] = rows.entries(index, index + 1);
    const said = bytes && parseEntry(bytes).body;
    if (canonicalJson(history.append(signed, index).body) !== canonicalJson(said))
      throw new RegulonError(
        'E_ROSTER',
        `entry ${index} of the log brings another roster than the federation folder`,
        {
          hint: 'use the federation folder that belongs to this state folder',
        },
      );
  });
  return changes.slice(indexes.length);
}

const behind = (index: number, { changedAt }: KeyHistory): RegulonError =>
  new RegulonError(
    'E_ROSTER',
    `entry ${index} of the log changed the roster after version ${changedAt.length + 1}, with which the federation folder ends`,
    { hint: 'put the newest federation folder back: an older roster is never used again' },
  );
