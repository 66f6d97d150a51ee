import type { PruneReply } from '@regulon/coordinator/runs';
import type { CoordinatorApi } from '../api-client/index.js';

/** Arguments of `regulon audit prune`. */
export interface PruneArguments {
  /** first entry that stays, whole bundles of 256; null: as far as everything has outlived its class */
  readonly below: number | null;
  readonly api: Pick<CoordinatorApi, 'pruneLog'>;
  /** asked before anything is sent */
  readonly isAgreed: () => Promise<boolean>;
}

/**
 * Have the coordinator remove the first entries of the log for good.
 *
 * @returns null when it was not agreed to
 * @throws E_STATE as the coordinator says what keeps them
 */
export async function pruneCommand({ below, api, isAgreed }: PruneArguments): Promise<PruneReply | null> {
  return (await isAgreed()) ? api.pruneLog({ below }) : null;
}
