export { writeGeneNames, writePrepared, writeUnprepared } from './arm-files.js';
export { openSiteData } from './open-site-data.js';
export type { DatasetDescription, SiteData } from './site-data.js';
