import { RegulonError } from '@regulon/shared/errors';
import type { CoordinatorApi } from '../api-client/index.js';

/** The run whose name begins so. @throws E_NOT_FOUND, or E_ARGUMENT when several do */
export async function resolveRun(api: CoordinatorApi, name: string): Promise<string> {
  if (/^run_[0-9a-f]{32}$/.test(name)) return name;
  const found = (await api.runs()).filter(({ run }) => run.startsWith(name) || run.startsWith(`run_${name}`));
  if (found.length === 1 && found[0]) return found[0].run;
  if (found.length === 0)
    throw new RegulonError('E_NOT_FOUND', `no run begins with ${name}`, { hint: 'regulon run list' });
  throw new RegulonError('E_ARGUMENT', `${found.length} runs begin with ${name}`, {
    hint: 'write more of the name',
  });
}
