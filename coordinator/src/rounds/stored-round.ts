import { decodeManifest } from '@regulon/shared/secagg';
import type { AttemptKey } from '../storage/index.js';
import { Attempt } from './attempt.js';
import { newRound, type RoundState } from './machine/index.js';
import type { Services } from './ports.js';
import type { RunContext } from './round-context.js';

/** Sites that are here, and those gone for longer than the grace period; ascending. */
export interface SitesHere {
  readonly connected: readonly number[];
  readonly departed: readonly number[];
}

/** State of a round as its row has it; of a new round when it has none. */
export function storedState(
  { rounds, clock }: Services,
  { runId, round }: Pick<AttemptKey, 'runId' | 'round'>,
  { connected, departed }: SitesHere,
): RoundState {
  const stored = rounds.state(runId, round);
  const fresh = newRound(clock.now(), connected, departed);
  // what an older version stored lacks members that came later
  return stored === undefined ? fresh : { ...fresh, ...(JSON.parse(stored) as Partial<RoundState>) };
}

/** The open attempt of a round, rebuilt; null when it was decided upon but never written. */
export function storedAttempt(
  { rounds }: Services,
  { roster, uncounted }: RunContext,
  key: AttemptKey,
  state: RoundState,
): Attempt | null {
  const row = rounds.attempt(key);
  if (!row || decodeManifest(row.manifest).deadlines.join() !== state.deadlines.join()) return null;
  const attempt = new Attempt(key, row.manifest, row.signature, roster, uncounted);
  attempt.replay(rounds, state);
  return attempt;
}
