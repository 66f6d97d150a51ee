import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunProgram } from '@regulon/shared/program';
import { armPrefix, siteBatchesPath } from '../../datasets/index.js';
import { privateFolder } from '../../enrol/index.js';
import {
  guarded,
  type SitePart,
  siteModelsFolder,
  sitePartPath,
  type StatePaths,
} from '../../state/index.js';
import { LocalWeights } from './local-weights.js';

/** Keep what the models of a finished run need of this site, before the files of the run are removed. @throws E_DISK_FULL */
export function keepSiteParts(paths: StatePaths, run: string, program: RunProgram): void {
  const folder = join(paths.runs, run);
  const models = siteModelsFolder(paths.folder);
  for (const { index: arm } of program.arms) {
    const keep = (from: string, part: SitePart): void => {
      const to = sitePartPath(models, { run, arm }, part);
      // one that is kept already is the last: a crash came before the run's own end
      if (!existsSync(from) || existsSync(to)) return;
      guarded('what a model needs of this site', () => {
        [models, dirname(to)].forEach(privateFolder);
        renameSync(from, to);
      });
    };
    keep(siteBatchesPath(armPrefix(folder, arm, 'train')), 'batches.json');
    const { localWeightsPath } = new LocalWeights(folder, program).latest(arm);
    if (localWeightsPath !== undefined) keep(localWeightsPath, 'local.f32');
  }
}
