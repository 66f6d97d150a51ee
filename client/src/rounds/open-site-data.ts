import type { DatasetConfig } from '../config/index.js';
import { DatasetThread } from './dataset-thread.js';
import type { SiteData } from './site-data.js';

/** The dataset of this site, in a thread of its own. */
export function openSiteData(config: DatasetConfig): SiteData {
  return new DatasetThread(config);
}
