import { RegulonError } from '@regulon/shared/errors';
import {
  type FederationKeys,
  foundingRoster,
  isChange,
  KeyHistory,
  keysOfGenesis,
  type ResolveAttachment,
} from '@regulon/shared/transparency';
import type { PlacedEntry } from './released-run.js';

/** The keys in force at the end of a log. @throws E_LOG_ENTRY when its rosters do not follow one another; E_BUNDLE when it is empty */
export function keysInForce(log: readonly PlacedEntry[], resolve: ResolveAttachment): FederationKeys {
  const [first] = log;
  if (first === undefined) throw new RegulonError('E_BUNDLE', 'the log is empty');
  const keys = keysOfGenesis(first.entry, resolve);
  const history = new KeyHistory(keys, foundingRoster(keys, resolve));
  for (const { entry, index } of log) if (isChange(entry)) history.appendEntry(entry, index, resolve);
  return history.last;
}
