export { openSiteData } from './open-site-data.js';
export type { DatasetDescription, SiteData } from './site-data.js';
