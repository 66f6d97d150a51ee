export { loadFederation, rosterViewOf, type Federation } from './federation.js';
export { verifyAgreement, type Agreement } from './agreement.js';
export { verifyGateModeFits, verifyModelSize, verifyPlanAllowed } from './plan-rules.js';
export { verifyAgainstPlan, type ManifestContext } from './manifest-rules.js';
export { verifyCohort, type Release } from './cohort-rule.js';
export type { SiteView } from './site-view.js';
