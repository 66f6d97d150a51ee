import type { RegulonError } from '@regulon/shared/errors';
import { type FederationKeys, openEntry } from '@regulon/shared/transparency';
import type { Outbox } from '../state/index.js';
import { type CoordinatorLink, pause } from '../transport/index.js';
import type { LogFollower } from '../witness/index.js';
import { insist } from './errors/insist.js';
import { helloOnTime } from './hello.js';

const AGAIN_MS = 500;

/** What entries that wait are signed anew with. */
export interface ResealParts {
  readonly link: Pick<CoordinatorLink, 'connect'>;
  readonly log: Pick<LogFollower, 'follow' | 'latest' | 'coversRosters'>;
  readonly outbox: Pick<Outbox, 'hasStale' | 'reseal'>;
  /** in force */
  readonly keys: FederationKeys;
  readonly tell: (error: RegulonError) => void;
}

/**
 * Entries that waited while this site's identity key was exchanged are signed under the new one, once the verified log
 * shows the exchange: what entered it before keeps its signature, and nothing enters it later under the old key.
 *
 * @returns how many were signed anew
 */
export async function resealWaiting({ link, log, outbox, keys, tell }: ResealParts): Promise<number> {
  const isCurrent = (bytes: Uint8Array): boolean => {
    try {
      openEntry(bytes, keys);
      return true;
    } catch {
      return false;
    }
  };
  if (!outbox.hasStale(isCurrent)) return 0;
  while (!log.coversRosters(log.latest.size)) {
    const { checkpointNote } = await insist(() => helloOnTime(link, keys.genesis), { tell });
    if (checkpointNote !== '') await insist(() => log.follow(checkpointNote), { tell });
    if (!log.coversRosters(log.latest.size)) await pause(AGAIN_MS);
  }
  return outbox.reseal(isCurrent);
}
