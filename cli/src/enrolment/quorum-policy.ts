import type { SignedRoster } from '@regulon/shared/plan';
import { KeyHistory, parseEntry, signedPayloadOf, verifyGenesisOfRoster } from '@regulon/shared/transparency';

/**
 * The quorum policy that the last of some rosters implies.
 *
 * @throws E_ROSTER when the genesis is not the one that the first implies, or a roster does not follow
 */
export function quorumPolicyOf(
  genesis: Uint8Array,
  founding: SignedRoster,
  changes: readonly SignedRoster[],
): string {
  const implied = verifyGenesisOfRoster(signedPayloadOf(genesis, parseEntry(genesis)), founding);
  const history = new KeyHistory(implied.keys, founding.roster);
  return changes.reduce((_, signed) => history.append(signed, Infinity).quorumPolicy, implied.quorumPolicy);
}
