import { join } from 'node:path';
import { rmSync } from 'node:fs';
import type { DatasetConfig } from '../config/index.js';
import { DatasetThread } from './dataset-thread.js';
import type { SiteData } from './site-data.js';

/**
 * The dataset of this site, in a thread of its own.
 *
 * @param folder private folder where a parsed copy may lie while a daemon runs; without it nothing is written
 */
export function openSiteData(config: DatasetConfig, folder?: string): SiteData {
  if (folder === undefined) return new DatasetThread({ config });
  const cachePath = join(folder, 'dataset.cache');
  rmSync(cachePath, { force: true });
  return new DatasetThread({ config, cachePath });
}
