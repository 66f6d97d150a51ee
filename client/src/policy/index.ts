export { loadFederation, rosterViewOf, type Federation } from './federation.js';
export { verifyAgreement, type Agreement } from './agreement.js';
export { verifyLoggedAgreement, type LoggedStatements } from './logged-agreement.js';
export { missingRules, verifyGateModeFits } from './open-data.js';
export { verifyModelSize, verifyPlanAllowed } from './plan-rules.js';
export { type CommittedDataset, verifySameData } from './steward-statements.js';
export { verifyAgainstPlan, type ManifestContext } from './manifest-rules.js';
export { verifyCohort, type Release } from './cohort-rule.js';
export type { SiteView } from './site-view.js';
