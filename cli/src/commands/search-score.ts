import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RunDocument } from '@regulon/coordinator/runs';
import type { Search } from '@regulon/shared/search';
import type { CoordinatorApi } from '../api-client/index.js';
import { inPrivateFolder } from '../files/index.js';
import type { Score } from '../search/index.js';
import { pullModel } from './pulled.js';

/**
 * Scores the released model of a run on the researcher's own labelled samples, on this machine.
 *
 * @param file of the search: the samples lie beside it
 */
export function sampleScorer(
  file: string,
  { data, labels }: NonNullable<Search['validation']>,
  api: CoordinatorApi,
) {
  const beside = (path: string): string => resolve(dirname(file), path);
  return ({ modelDigest }: RunDocument): Promise<Score> =>
    inPrivateFolder(join(tmpdir(), 'model'), async (folder) => {
      const { openModel, scoreSamples } = await import('@regulon/client/samples');
      const path = join(folder, 'model.f32');
      await pullModel(api, modelDigest ?? '', path);
      const where = { counts: beside(data), labels: beside(labels) };
      const { loss, accuracy } = await scoreSamples(
        await openModel(path),
        { where },
        // the same everywhere: another digit would lead a search that goes on to another place
        { folder, backend: 'wasm' },
      );
      return { loss, accuracy };
    });
}
