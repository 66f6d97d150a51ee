import { join } from 'node:path';

/** What belongs to a model at one site alone: how its batches were fitted, and weights that never left it. */
export type SitePart = 'batches.json' | 'local.f32';

/** Folder with what a site keeps of the models of finished runs. */
export const siteModelsFolder = (stateFolder: string): string => join(stateFolder, 'site-models');

/** Where a part lies. @param folder as `siteModelsFolder` gives it */
export const sitePartPath = (
  folder: string,
  { run, arm }: { readonly run: string; readonly arm: number },
  part: SitePart,
): string => join(folder, run, `arm-${arm}.${part}`);
