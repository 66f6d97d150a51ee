import type { CoordinatorApi } from '../api-client/index.js';
import type { Recorded } from './record.js';

/** Arguments of `regulon audit baseline`. */
export interface BaselineArguments {
  /** number of first entries, whole bundles of 256 */
  readonly entries: number;
  readonly api: Pick<CoordinatorApi, 'proposeBaseline'>;
  /** asked before anything is sent */
  readonly isAgreed: (size: number) => Promise<boolean>;
}

/** Have the coordinator state the first entries of the log in short. @throws E_ARGUMENT, E_STATE as the coordinator says */
export async function baselineCommand({ entries, api, isAgreed }: BaselineArguments): Promise<Recorded> {
  if (!(await isAgreed(entries))) return { index: null, size: entries };
  const { indexes } = await api.proposeBaseline({ entries });
  return { index: indexes[0] ?? null, size: entries };
}
