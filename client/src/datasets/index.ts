export { armPrefix, writeGeneNames, writePrepared, writeUnprepared } from './arm-files.js';
export { openSiteData } from './open-site-data.js';
export type { DatasetDescription, SiteData, UnitUse } from './site-data.js';
export { readSiteBatches, type SiteBatches, siteBatchesPath } from './site-batches.js';
